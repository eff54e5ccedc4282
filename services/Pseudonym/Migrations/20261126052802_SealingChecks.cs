using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Pseudonym.Migrations
{
    /// <inheritdoc />
    public partial class SealingChecks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "sealing_checks",
                columns: table => new
                {
                    KeyId = table.Column<string>(type: "text", nullable: false),
                    Text = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_sealing_checks", x => x.KeyId);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "sealing_checks");
        }
    }
}
