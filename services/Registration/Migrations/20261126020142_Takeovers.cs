using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Registration.Migrations
{
    /// <inheritdoc />
    public partial class Takeovers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "takeovers",
                columns: table => new
                {
                    Replaced = table.Column<long>(type: "bigint", nullable: false),
                    By = table.Column<long>(type: "bigint", nullable: false),
                    Maskings = table.Column<int>(type: "integer", nullable: false),
                    Merged = table.Column<int>(type: "integer", nullable: false),
                    Held = table.Column<int>(type: "integer", nullable: false),
                    Over = table.Column<int>(type: "integer", nullable: false),
                    Units = table.Column<int>(type: "integer", nullable: false),
                    Position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_takeovers", x => x.Replaced);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "takeovers");
        }
    }
}
