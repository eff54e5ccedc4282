using Microsoft.Extensions.Options;
using Sloring.Hosting;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Unit.Tokens;

public sealed class ClientsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-").FullName;

    [Fact]
    public void OwnSecret_FindsTheClientAndNoOther()
    {
        var secrets = new SecretStore(Options.Create(new SecretOptions { File = Path.Combine(_folder, "secrets.json"), CreateMissing = true }));
        var clients = new Clients(Options.Create(new TokenServiceOptions { Clients = { new ClientOptions { Id = "a" }, new ClientOptions { Id = "b" } } }), secrets);

        Assert.True(clients.TryAuthenticate("a", secrets.Text("client/a"), out var found));
        Assert.Equal("a", found.Id);
        Assert.False(clients.TryAuthenticate("b", secrets.Text("client/a"), out _));
        Assert.False(clients.TryAuthenticate("A", secrets.Text("client/a"), out _));
        Assert.False(clients.TryAuthenticate("a", secrets.Text("client/a") + " ", out _));
        Assert.False(clients.TryAuthenticate("a", "", out _));
        Assert.False(clients.TryAuthenticate("", "", out _));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
