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

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "abe$9a125f9934", values: ["ABE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "abi$45b14de1a6", values: ["ABI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "abq$b60075a08e", values: ["ABQ"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "act$ee71241ebf", values: ["ACT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "acy$95f0e1a14a", values: ["ACY"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "adq$4c71b7e56f", values: ["ADQ"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "akn$ad6b67f7bc", values: ["AKN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "alb$43c7b73b33", values: ["ALB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ama$3ad14da353", values: ["AMA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "anc$4140d0a1a9", values: ["ANC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "apf$f80289bae2", values: ["APF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "atl$8d87f16630", values: ["ATL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "aus$537ae3b176", values: ["AUS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "avl$f928cd452f", values: ["AVL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "avp$71b630bb19", values: ["AVP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "azo$63fcc35a2f", values: ["AZO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bdl$9d56ce6ee1", values: ["BDL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bet$ecc3e2c352", values: ["BET"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bfl$e02797d6ad", values: ["BFL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bgm$b259d2df08", values: ["BGM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bgr$81e259b4a2", values: ["BGR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bhm$56b09c6ff9", values: ["BHM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bil$1cdcdd124f", values: ["BIL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bis$df771c2c4d", values: ["BIS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bmi$c16431b108", values: ["BMI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bna$76102f16a0", values: ["BNA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "boi$ded2d82637", values: ["BOI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bos$546e1dc9e3", values: ["BOS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bpt$b6bd2f4935", values: ["BPT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bqn$db2fde443f", values: ["BQN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bro$06ccef4324", values: ["BRO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "brw$f7e37f4526", values: ["BRW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "btr$443f5551a4", values: ["BTR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "btv$b9c29328d8", values: ["BTV"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "buf$56a595b912", values: ["BUF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bur$4fc05cba56", values: ["BUR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bwi$2ea64b55cf", values: ["BWI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "bzn$5919082262", values: ["BZN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cae$b1a04a15d2", values: ["CAE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cak$36a084fe68", values: ["CAK"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cdv$eab1559603", values: ["CDV"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cha$8fc4416436", values: ["CHA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "chs$144b651ea0", values: ["CHS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cid$6b632decb6", values: ["CID"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cle$f79d30273e", values: ["CLE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cll$70e4111f2d", values: ["CLL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "clt$481327936d", values: ["CLT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cmh$302b7594f9", values: ["CMH"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cmi$2ed8534e98", values: ["CMI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cos$287ab4ea82", values: ["COS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "crp$d3f3eecbbb", values: ["CRP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "crw$02128cbdab", values: ["CRW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "cvg$2daae495d9", values: ["CVG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dab$bbcc8ec46f", values: ["DAB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dal$b0a8c8f2f1", values: ["DAL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "day$c45bc4a7dc", values: ["DAY"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dbq$372dc25b58", values: ["DBQ"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dca$5fed7eb7d1", values: ["DCA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "den$2fcc32efa1", values: ["DEN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dfw$232bea47b5", values: ["DFW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dlg$d0aba02e91", values: ["DLG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dlh$de7ecffa77", values: ["DLH"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dro$fcc2e3d8cf", values: ["DRO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dsm$ba052fed0e", values: ["DSM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dtw$7695866176", values: ["DTW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "dut$9a83861eb9", values: ["DUT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ege$68bd72d81b", values: ["EGE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "elm$05881adb73", values: ["ELM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "elp$b5f78d5c0d", values: ["ELP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "eri$4de4042269", values: ["ERI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "eug$eb81d334d8", values: ["EUG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "evv$134b4011ba", values: ["EVV"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ewr$70540e81f5", values: ["EWR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "eyw$eda455b16f", values: ["EYW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fai$80d0e12571", values: ["FAI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "far$47cee1712a", values: ["FAR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fat$06f4446e29", values: ["FAT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fay$aad83fbdce", values: ["FAY"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fca$3928e21abb", values: ["FCA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fll$84642423f4", values: ["FLL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fnt$558bc5c6f6", values: ["FNT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fsd$541688c235", values: ["FSD"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fsm$d5650201f0", values: ["FSM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "fwa$6f5badeeec", values: ["FWA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "geg$43ddcc5908", values: ["GEG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "gfk$9b9dfe4b8c", values: ["GFK"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ggg$4c573d7486", values: ["GGG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "gpt$2c4e6f6c46", values: ["GPT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "grb$631fe77e7d", values: ["GRB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "grr$52f8766860", values: ["GRR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "gso$4ee039ce6f", values: ["GSO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "gsp$dc7960398d", values: ["GSP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "gst$8593345cbd", values: ["GST"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "gtf$2986219f82", values: ["GTF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "guc$2e169101f7", values: ["GUC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "hdn$530294cdaa", values: ["HDN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "hln$7e8bb0853f", values: ["HLN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "hnl$732af70cb8", values: ["HNL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "hou$4b92e66c84", values: ["HOU"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "hpn$4d7c1175f2", values: ["HPN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "hrl$94638003ba", values: ["HRL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "hsv$c1242f7f88", values: ["HSV"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "iad$7761aae7b2", values: ["IAD"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "iah$cf33f9d8af", values: ["IAH"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ict$bc1ccfebaf", values: ["ICT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ile$25a34247cb", values: ["ILE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ilm$55827131a3", values: ["ILM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ind$c81ed803e3", values: ["IND"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "isp$7b3bcef71f", values: ["ISP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ith$6cc1141023", values: ["ITH"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ito$f4daa765e0", values: ["ITO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "jac$374c7527be", values: ["JAC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "jan$a9b687bc26", values: ["JAN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "jax$cd8c07fdc0", values: ["JAX"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "jfk$2e17bfe259", values: ["JFK"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "jnu$efe2a2bddc", values: ["JNU"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "koa$e5fe64d21a", values: ["KOA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ktn$97e710f800", values: ["KTN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lan$3b33944896", values: ["LAN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "las$dade622085", values: ["LAS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "law$cf9c1d2ba1", values: ["LAW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lax$a1a0dd643a", values: ["LAX"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lbb$000a0a7e66", values: ["LBB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lex$06ffee5deb", values: ["LEX"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lft$839e329c17", values: ["LFT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lga$6324fe4d26", values: ["LGA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lgb$1363d31631", values: ["LGB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lih$767ec0cd36", values: ["LIH"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lit$8853564f13", values: ["LIT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lnk$924fa96010", values: ["LNK"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lrd$27352f3471", values: ["LRD"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lse$b8ec997faf", values: ["LSE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "lwb$0e6f3a8200", values: ["LWB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "maf$ec9121c9c2", values: ["MAF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mbs$eea47b3330", values: ["MBS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mci$1468a82caa", values: ["MCI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mco$1d2fb63ed3", values: ["MCO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mdt$15b1a3cf77", values: ["MDT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mdw$7a3d568190", values: ["MDW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mem$abaceec4d9", values: ["MEM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mfe$285199cea4", values: ["MFE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mfr$30dfd5a764", values: ["MFR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mht$dd61719d5e", values: ["MHT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mia$6c7eaadf67", values: ["MIA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mke$d779d8c118", values: ["MKE"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mlb$46a4c6b519", values: ["MLB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mli$783a184a49", values: ["MLI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mlu$508181536a", values: ["MLU"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mob$2402e052a7", values: ["MOB"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mot$f5cfaf73c9", values: ["MOT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mqt$3d0238f4ec", values: ["MQT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mry$a95251628d", values: ["MRY"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "msn$9871605be8", values: ["MSN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mso$bd06e929ad", values: ["MSO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "msp$4270d85a70", values: ["MSP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "msy$a6df6522bf", values: ["MSY"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "mtj$0858eaba02", values: ["MTJ"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "myr$da725d6642", values: ["MYR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "oak$0290398899", values: ["OAK"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ogg$a87e82d0c1", values: ["OGG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "okc$1c5c508fda", values: ["OKC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "oma$eb6992b75a", values: ["OMA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ome$971f0d1924", values: ["OME"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ont$5812b68a99", values: ["ONT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ord$12a59bb4f8", values: ["ORD"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "orf$a083daa9fc", values: ["ORF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "orh$8b81458e66", values: ["ORH"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "otz$e07ba719f5", values: ["OTZ"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "pbi$989ac208dc", values: ["PBI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "pdx$664f15ef03", values: ["PDX"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "phl$526ca3c024", values: ["PHL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "phx$58332be1bf", values: ["PHX"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "pia$270b1684d6", values: ["PIA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "pit$24c32f8b97", values: ["PIT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "pns$7e2edab52c", values: ["PNS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "psc$81bcf02c22", values: ["PSC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "psg$4b1824b663", values: ["PSG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "psp$9bff7ba497", values: ["PSP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "pvd$dc90eca372", values: ["PVD"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "pwm$c37490c37e", values: ["PWM"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "rap$ec5db4937d", values: ["RAP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "rdu$8e6122d0e9", values: ["RDU"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "ric$5c745a8c84", values: ["RIC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "rno$31a82d3ceb", values: ["RNO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "roa$f3964b10d8", values: ["ROA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "roc$149aa4c8d8", values: ["ROC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "rst$24584b0bb2", values: ["RST"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "rsw$346f809b26", values: ["RSW"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "san$8217143646", values: ["SAN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sat$f541ab1317", values: ["SAT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sav$240807b915", values: ["SAV"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sba$7f055c6c4f", values: ["SBA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sbn$1c6a0fac2f", values: ["SBN"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sbp$e927ffdc7f", values: ["SBP"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "scc$01950d5b15", values: ["SCC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sdf$3539795a98", values: ["SDF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sea$08dd989014", values: ["SEA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sfo$1c0a5a3086", values: ["SFO"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sgf$291e7b99ff", values: ["SGF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "shv$b6eb5290c3", values: ["SHV"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sit$de05cc1b95", values: ["SIT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sjc$2a35a3d07f", values: ["SJC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sjt$0c2f57d600", values: ["SJT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sju$fba44aaca5", values: ["SJU"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "slc$e0053ffe23", values: ["SLC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "smf$00e2797388", values: ["SMF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sna$d67b3030b9", values: ["SNA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sps$c7cf6a9595", values: ["SPS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "srq$654d21ef1b", values: ["SRQ"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "stl$5505bbe316", values: ["STL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "stt$6c78e0e175", values: ["STT"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "stx$d784248bfd", values: ["STX"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "sux$594e7e20f0", values: ["SUX"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "swf$fb3d662ab3", values: ["SWF"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "syr$ca88574fd5", values: ["SYR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tlh$c98de5b572", values: ["TLH"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tol$c466472a3b", values: ["TOL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tpa$2c560c7341", values: ["TPA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tri$4f7fa34d06", values: ["TRI"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tul$91b9f37aef", values: ["TUL"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tus$b4ac9ad8e5", values: ["TUS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tvc$c38d05721e", values: ["TVC"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "txk$7ceb9907dc", values: ["TXK"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tyr$50ddb18326", values: ["TYR"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "tys$391108c4b2", values: ["TYS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "vps$953e00f8ea", values: ["VPS"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "wrg$79fed7c6d6", values: ["WRG"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "xna$714e0a6396", values: ["XNA"]);

            migrationBuilder.CreateTenantPartition(table: "Flights", suffix: "yak$be5f3e81b5", values: ["YAK"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "abe$9a125f9934", values: ["ABE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "abi$45b14de1a6", values: ["ABI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "abq$b60075a08e", values: ["ABQ"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "act$ee71241ebf", values: ["ACT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "acy$95f0e1a14a", values: ["ACY"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "adq$4c71b7e56f", values: ["ADQ"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "akn$ad6b67f7bc", values: ["AKN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "alb$43c7b73b33", values: ["ALB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ama$3ad14da353", values: ["AMA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "anc$4140d0a1a9", values: ["ANC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "apf$f80289bae2", values: ["APF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "atl$8d87f16630", values: ["ATL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "aus$537ae3b176", values: ["AUS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "avl$f928cd452f", values: ["AVL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "avp$71b630bb19", values: ["AVP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "azo$63fcc35a2f", values: ["AZO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bdl$9d56ce6ee1", values: ["BDL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bet$ecc3e2c352", values: ["BET"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bfl$e02797d6ad", values: ["BFL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bgm$b259d2df08", values: ["BGM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bgr$81e259b4a2", values: ["BGR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bhm$56b09c6ff9", values: ["BHM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bil$1cdcdd124f", values: ["BIL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bis$df771c2c4d", values: ["BIS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bmi$c16431b108", values: ["BMI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bna$76102f16a0", values: ["BNA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "boi$ded2d82637", values: ["BOI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bos$546e1dc9e3", values: ["BOS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bpt$b6bd2f4935", values: ["BPT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bqn$db2fde443f", values: ["BQN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bro$06ccef4324", values: ["BRO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "brw$f7e37f4526", values: ["BRW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "btr$443f5551a4", values: ["BTR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "btv$b9c29328d8", values: ["BTV"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "buf$56a595b912", values: ["BUF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bur$4fc05cba56", values: ["BUR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bwi$2ea64b55cf", values: ["BWI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "bzn$5919082262", values: ["BZN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cae$b1a04a15d2", values: ["CAE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cak$36a084fe68", values: ["CAK"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cdv$eab1559603", values: ["CDV"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cha$8fc4416436", values: ["CHA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "chs$144b651ea0", values: ["CHS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cid$6b632decb6", values: ["CID"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cle$f79d30273e", values: ["CLE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cll$70e4111f2d", values: ["CLL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "clt$481327936d", values: ["CLT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cmh$302b7594f9", values: ["CMH"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cmi$2ed8534e98", values: ["CMI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cos$287ab4ea82", values: ["COS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "crp$d3f3eecbbb", values: ["CRP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "crw$02128cbdab", values: ["CRW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "cvg$2daae495d9", values: ["CVG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dab$bbcc8ec46f", values: ["DAB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dal$b0a8c8f2f1", values: ["DAL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "day$c45bc4a7dc", values: ["DAY"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dbq$372dc25b58", values: ["DBQ"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dca$5fed7eb7d1", values: ["DCA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "den$2fcc32efa1", values: ["DEN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dfw$232bea47b5", values: ["DFW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dlg$d0aba02e91", values: ["DLG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dlh$de7ecffa77", values: ["DLH"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dro$fcc2e3d8cf", values: ["DRO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dsm$ba052fed0e", values: ["DSM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dtw$7695866176", values: ["DTW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "dut$9a83861eb9", values: ["DUT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ege$68bd72d81b", values: ["EGE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "elm$05881adb73", values: ["ELM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "elp$b5f78d5c0d", values: ["ELP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "eri$4de4042269", values: ["ERI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "eug$eb81d334d8", values: ["EUG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "evv$134b4011ba", values: ["EVV"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ewr$70540e81f5", values: ["EWR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "eyw$eda455b16f", values: ["EYW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fai$80d0e12571", values: ["FAI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "far$47cee1712a", values: ["FAR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fat$06f4446e29", values: ["FAT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fay$aad83fbdce", values: ["FAY"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fca$3928e21abb", values: ["FCA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fll$84642423f4", values: ["FLL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fnt$558bc5c6f6", values: ["FNT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fsd$541688c235", values: ["FSD"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fsm$d5650201f0", values: ["FSM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "fwa$6f5badeeec", values: ["FWA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "geg$43ddcc5908", values: ["GEG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "gfk$9b9dfe4b8c", values: ["GFK"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ggg$4c573d7486", values: ["GGG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "gpt$2c4e6f6c46", values: ["GPT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "grb$631fe77e7d", values: ["GRB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "grr$52f8766860", values: ["GRR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "gso$4ee039ce6f", values: ["GSO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "gsp$dc7960398d", values: ["GSP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "gst$8593345cbd", values: ["GST"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "gtf$2986219f82", values: ["GTF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "guc$2e169101f7", values: ["GUC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "hdn$530294cdaa", values: ["HDN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "hln$7e8bb0853f", values: ["HLN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "hnl$732af70cb8", values: ["HNL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "hou$4b92e66c84", values: ["HOU"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "hpn$4d7c1175f2", values: ["HPN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "hrl$94638003ba", values: ["HRL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "hsv$c1242f7f88", values: ["HSV"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "iad$7761aae7b2", values: ["IAD"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "iah$cf33f9d8af", values: ["IAH"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ict$bc1ccfebaf", values: ["ICT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ile$25a34247cb", values: ["ILE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ilm$55827131a3", values: ["ILM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ind$c81ed803e3", values: ["IND"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "isp$7b3bcef71f", values: ["ISP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ith$6cc1141023", values: ["ITH"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ito$f4daa765e0", values: ["ITO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "jac$374c7527be", values: ["JAC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "jan$a9b687bc26", values: ["JAN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "jax$cd8c07fdc0", values: ["JAX"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "jfk$2e17bfe259", values: ["JFK"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "jnu$efe2a2bddc", values: ["JNU"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "koa$e5fe64d21a", values: ["KOA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ktn$97e710f800", values: ["KTN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lan$3b33944896", values: ["LAN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "las$dade622085", values: ["LAS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "law$cf9c1d2ba1", values: ["LAW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lax$a1a0dd643a", values: ["LAX"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lbb$000a0a7e66", values: ["LBB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lex$06ffee5deb", values: ["LEX"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lft$839e329c17", values: ["LFT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lga$6324fe4d26", values: ["LGA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lgb$1363d31631", values: ["LGB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lih$767ec0cd36", values: ["LIH"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lit$8853564f13", values: ["LIT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lnk$924fa96010", values: ["LNK"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lrd$27352f3471", values: ["LRD"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lse$b8ec997faf", values: ["LSE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "lwb$0e6f3a8200", values: ["LWB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "maf$ec9121c9c2", values: ["MAF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mbs$eea47b3330", values: ["MBS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mci$1468a82caa", values: ["MCI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mco$1d2fb63ed3", values: ["MCO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mdt$15b1a3cf77", values: ["MDT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mdw$7a3d568190", values: ["MDW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mem$abaceec4d9", values: ["MEM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mfe$285199cea4", values: ["MFE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mfr$30dfd5a764", values: ["MFR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mht$dd61719d5e", values: ["MHT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mia$6c7eaadf67", values: ["MIA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mke$d779d8c118", values: ["MKE"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mlb$46a4c6b519", values: ["MLB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mli$783a184a49", values: ["MLI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mlu$508181536a", values: ["MLU"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mob$2402e052a7", values: ["MOB"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mot$f5cfaf73c9", values: ["MOT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mqt$3d0238f4ec", values: ["MQT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mry$a95251628d", values: ["MRY"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "msn$9871605be8", values: ["MSN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mso$bd06e929ad", values: ["MSO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "msp$4270d85a70", values: ["MSP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "msy$a6df6522bf", values: ["MSY"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "mtj$0858eaba02", values: ["MTJ"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "myr$da725d6642", values: ["MYR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "oak$0290398899", values: ["OAK"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ogg$a87e82d0c1", values: ["OGG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "okc$1c5c508fda", values: ["OKC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "oma$eb6992b75a", values: ["OMA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ome$971f0d1924", values: ["OME"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ont$5812b68a99", values: ["ONT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ord$12a59bb4f8", values: ["ORD"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "orf$a083daa9fc", values: ["ORF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "orh$8b81458e66", values: ["ORH"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "otz$e07ba719f5", values: ["OTZ"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "pbi$989ac208dc", values: ["PBI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "pdx$664f15ef03", values: ["PDX"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "phl$526ca3c024", values: ["PHL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "phx$58332be1bf", values: ["PHX"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "pia$270b1684d6", values: ["PIA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "pit$24c32f8b97", values: ["PIT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "pns$7e2edab52c", values: ["PNS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "psc$81bcf02c22", values: ["PSC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "psg$4b1824b663", values: ["PSG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "psp$9bff7ba497", values: ["PSP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "pvd$dc90eca372", values: ["PVD"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "pwm$c37490c37e", values: ["PWM"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "rap$ec5db4937d", values: ["RAP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "rdu$8e6122d0e9", values: ["RDU"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "ric$5c745a8c84", values: ["RIC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "rno$31a82d3ceb", values: ["RNO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "roa$f3964b10d8", values: ["ROA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "roc$149aa4c8d8", values: ["ROC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "rst$24584b0bb2", values: ["RST"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "rsw$346f809b26", values: ["RSW"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "san$8217143646", values: ["SAN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sat$f541ab1317", values: ["SAT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sav$240807b915", values: ["SAV"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sba$7f055c6c4f", values: ["SBA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sbn$1c6a0fac2f", values: ["SBN"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sbp$e927ffdc7f", values: ["SBP"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "scc$01950d5b15", values: ["SCC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sdf$3539795a98", values: ["SDF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sea$08dd989014", values: ["SEA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sfo$1c0a5a3086", values: ["SFO"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sgf$291e7b99ff", values: ["SGF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "shv$b6eb5290c3", values: ["SHV"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sit$de05cc1b95", values: ["SIT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sjc$2a35a3d07f", values: ["SJC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sjt$0c2f57d600", values: ["SJT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sju$fba44aaca5", values: ["SJU"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "slc$e0053ffe23", values: ["SLC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "smf$00e2797388", values: ["SMF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sna$d67b3030b9", values: ["SNA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sps$c7cf6a9595", values: ["SPS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "srq$654d21ef1b", values: ["SRQ"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "stl$5505bbe316", values: ["STL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "stt$6c78e0e175", values: ["STT"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "stx$d784248bfd", values: ["STX"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "sux$594e7e20f0", values: ["SUX"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "swf$fb3d662ab3", values: ["SWF"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "syr$ca88574fd5", values: ["SYR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tlh$c98de5b572", values: ["TLH"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tol$c466472a3b", values: ["TOL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tpa$2c560c7341", values: ["TPA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tri$4f7fa34d06", values: ["TRI"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tul$91b9f37aef", values: ["TUL"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tus$b4ac9ad8e5", values: ["TUS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tvc$c38d05721e", values: ["TVC"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "txk$7ceb9907dc", values: ["TXK"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tyr$50ddb18326", values: ["TYR"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "tys$391108c4b2", values: ["TYS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "vps$953e00f8ea", values: ["VPS"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "wrg$79fed7c6d6", values: ["WRG"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "xna$714e0a6396", values: ["XNA"]);

            migrationBuilder.CreateTenantPartition(table: "Notes", suffix: "yak$be5f3e81b5", values: ["YAK"]);

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
        }
    }
}
