using System.ComponentModel.DataAnnotations;
using EfTenancy;

namespace WebApi.Model;

/// <summary>An airport that flights lead to: reference data, the same for every tenant.</summary>
[SingleTenanted]
public class Airport
{
    [Key, MaxLength(3)]
    public required string Code { get; set; }
}
