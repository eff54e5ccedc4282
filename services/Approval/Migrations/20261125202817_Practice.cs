using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Approval.Migrations
{
    /// <inheritdoc />
    public partial class Practice : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "RenewalFrom",
                table: "cases",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "practice_versions",
                columns: table => new
                {
                    Cvr = table.Column<string>(type: "text", nullable: false),
                    Version = table.Column<int>(type: "integer", nullable: false),
                    ApprovalLevel = table.Column<string>(type: "text", nullable: true),
                    MayDecideOwn = table.Column<bool>(type: "boolean", nullable: true),
                    ExtraNonWorkingDays = table.Column<string>(type: "text", nullable: true),
                    DecisionWorkingDays = table.Column<int>(type: "integer", nullable: true),
                    ExpiryNoticeDays = table.Column<int>(type: "integer", nullable: true),
                    ChangedBy = table.Column<string>(type: "text", nullable: false),
                    ChangedAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_practice_versions", x => new { x.Cvr, x.Version });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "practice_versions");

            migrationBuilder.DropColumn(
                name: "RenewalFrom",
                table: "cases");
        }
    }
}
