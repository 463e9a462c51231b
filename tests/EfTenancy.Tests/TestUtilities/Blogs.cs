namespace EfTenancy.Tests.TestUtilities;

public class Blog
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public List<Post> Posts { get; } = [];
}

public class Post
{
    public int Id { get; set; }

    public int? BlogId { get; set; }

    public Blog? Blog { get; set; }

    public List<Tag> Tags { get; } = [];
}

public class Tag
{
    public int Id { get; set; }

    public List<Post> Posts { get; } = [];
}

/// <summary>An entity with a tenant property of its own.</summary>
public class Invoice
{
    public int Id { get; set; }

    public string? TenantId { get; set; }
}
