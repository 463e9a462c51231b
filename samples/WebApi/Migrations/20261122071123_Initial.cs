using System;
using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace WebApi.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureTenantRegistry(schema: "tenants");

            migrationBuilder.CreateTable(
                name: "Airports",
                columns: table => new
                {
                    Code = table.Column<string>(type: "character varying(3)", maxLength: 3, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Airports", x => x.Code);
                });

            migrationBuilder.CreateTable(
                name: "Flights",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    TenantId = table.Column<string>(type: "text", nullable: false, defaultValueSql: "'*DEFAULT*'"),
                    FlownAt = table.Column<DateTime>(type: "timestamp without time zone", nullable: false),
                    DelayMinutes = table.Column<int>(type: "integer", nullable: false),
                    DistanceMiles = table.Column<int>(type: "integer", nullable: false),
                    Destination = table.Column<string>(type: "character varying(3)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Flights", x => new { x.TenantId, x.Id });
                    table.ForeignKey(
                        name: "FK_Flights_Airports_Destination",
                        column: x => x.Destination,
                        principalTable: "Airports",
                        principalColumn: "Code",
                        onDelete: ReferentialAction.Restrict);
                })
                .PartitionByTenant(TenantPartitionStrategy.List, "TenantId");

            migrationBuilder.CreateTable(
                name: "Notes",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    TenantId = table.Column<string>(type: "text", nullable: false, defaultValueSql: "'*DEFAULT*'"),
                    FlightId = table.Column<long>(type: "bigint", nullable: false),
                    Text = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: false),
                    WrittenAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Notes", x => new { x.TenantId, x.Id });
                    table.ForeignKey(
                        name: "FK_Notes_Flights_TenantId_FlightId",
                        columns: x => new { x.TenantId, x.FlightId },
                        principalTable: "Flights",
                        principalColumns: new[] { "TenantId", "Id" },
                        onDelete: ReferentialAction.Cascade);
                })
                .PartitionByTenant(TenantPartitionStrategy.List, "TenantId");

            migrationBuilder.CreateRegisteredTenantPartitions(table: "Flights", registrySchema: "tenants");

            migrationBuilder.CreateRegisteredTenantPartitions(table: "Notes", registrySchema: "tenants");

            migrationBuilder.InsertData(
                table: "Airports",
                column: "Code",
                values: new object[]
                {
                    "ABE",
                    "ABI",
                    "ABQ",
                    "ACT",
                    "ACY",
                    "ADQ",
                    "AKN",
                    "ALB",
                    "AMA",
                    "ANC",
                    "APF",
                    "ATL",
                    "AUS",
                    "AVL",
                    "AVP",
                    "AZO",
                    "BDL",
                    "BET",
                    "BFL",
                    "BGM",
                    "BGR",
                    "BHM",
                    "BIL",
                    "BIS",
                    "BMI",
                    "BNA",
                    "BOI",
                    "BOS",
                    "BPT",
                    "BQN",
                    "BRO",
                    "BRW",
                    "BTR",
                    "BTV",
                    "BUF",
                    "BUR",
                    "BWI",
                    "BZN",
                    "CAE",
                    "CAK",
                    "CDV",
                    "CHA",
                    "CHS",
                    "CID",
                    "CLE",
                    "CLL",
                    "CLT",
                    "CMH",
                    "CMI",
                    "COS",
                    "CRP",
                    "CRW",
                    "CVG",
                    "DAB",
                    "DAL",
                    "DAY",
                    "DBQ",
                    "DCA",
                    "DEN",
                    "DFW",
                    "DLG",
                    "DLH",
                    "DRO",
                    "DSM",
                    "DTW",
                    "DUT",
                    "EGE",
                    "ELM",
                    "ELP",
                    "ERI",
                    "EUG",
                    "EVV",
                    "EWR",
                    "EYW",
                    "FAI",
                    "FAR",
                    "FAT",
                    "FAY",
                    "FCA",
                    "FLL",
                    "FNT",
                    "FSD",
                    "FSM",
                    "FWA",
                    "GEG",
                    "GFK",
                    "GGG",
                    "GPT",
                    "GRB",
                    "GRR",
                    "GSO",
                    "GSP",
                    "GST",
                    "GTF",
                    "GUC",
                    "HDN",
                    "HLN",
                    "HNL",
                    "HOU",
                    "HPN",
                    "HRL",
                    "HSV",
                    "IAD",
                    "IAH",
                    "ICT",
                    "ILE",
                    "ILM",
                    "IND",
                    "ISP",
                    "ITH",
                    "ITO",
                    "JAC",
                    "JAN",
                    "JAX",
                    "JFK",
                    "JNU",
                    "KOA",
                    "KTN",
                    "LAN",
                    "LAS",
                    "LAW",
                    "LAX",
                    "LBB",
                    "LEX",
                    "LFT",
                    "LGA",
                    "LGB",
                    "LIH",
                    "LIT",
                    "LNK",
                    "LRD",
                    "LSE",
                    "LWB",
                    "MAF",
                    "MBS",
                    "MCI",
                    "MCO",
                    "MDT",
                    "MDW",
                    "MEM",
                    "MFE",
                    "MFR",
                    "MHT",
                    "MIA",
                    "MKE",
                    "MLB",
                    "MLI",
                    "MLU",
                    "MOB",
                    "MOT",
                    "MQT",
                    "MRY",
                    "MSN",
                    "MSO",
                    "MSP",
                    "MSY",
                    "MTJ",
                    "MYR",
                    "OAK",
                    "OGG",
                    "OKC",
                    "OMA",
                    "OME",
                    "ONT",
                    "ORD",
                    "ORF",
                    "ORH",
                    "OTZ",
                    "PBI",
                    "PDX",
                    "PHL",
                    "PHX",
                    "PIA",
                    "PIT",
                    "PNS",
                    "PSC",
                    "PSG",
                    "PSP",
                    "PVD",
                    "PWM",
                    "RAP",
                    "RDU",
                    "RIC",
                    "RNO",
                    "ROA",
                    "ROC",
                    "RST",
                    "RSW",
                    "SAN",
                    "SAT",
                    "SAV",
                    "SBA",
                    "SBN",
                    "SBP",
                    "SCC",
                    "SDF",
                    "SEA",
                    "SFO",
                    "SGF",
                    "SHV",
                    "SIT",
                    "SJC",
                    "SJT",
                    "SJU",
                    "SLC",
                    "SMF",
                    "SNA",
                    "SPS",
                    "SRQ",
                    "STL",
                    "STT",
                    "STX",
                    "SUX",
                    "SWF",
                    "SYR",
                    "TLH",
                    "TOL",
                    "TPA",
                    "TRI",
                    "TUL",
                    "TUS",
                    "TVC",
                    "TXK",
                    "TYR",
                    "TYS",
                    "VPS",
                    "WRG",
                    "XNA",
                    "YAK"
                });

            migrationBuilder.CreateIndex(
                name: "IX_Flights_Destination",
                table: "Flights",
                column: "Destination");

            migrationBuilder.CreateIndex(
                name: "IX_Notes_TenantId_FlightId",
                table: "Notes",
                columns: new[] { "TenantId", "FlightId" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Notes");

            migrationBuilder.DropTable(
                name: "Flights");

            migrationBuilder.DropTable(
                name: "Airports");

            migrationBuilder.DropTenantRegistry(schema: "tenants");
        }
    }
}
