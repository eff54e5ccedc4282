using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Approval.Migrations
{
    /// <inheritdoc />
    public partial class Erasure : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "overview_counts",
                columns: table => new
                {
                    Month = table.Column<string>(type: "text", nullable: false),
                    Cvr = table.Column<string>(type: "text", nullable: false),
                    LevelUnitSorId = table.Column<string>(type: "text", nullable: false),
                    Trigger = table.Column<string>(type: "text", nullable: false),
                    Activations = table.Column<int>(type: "integer", nullable: false),
                    Upheld = table.Column<int>(type: "integer", nullable: false),
                    Lifted = table.Column<int>(type: "integer", nullable: false),
                    Renewed = table.Column<int>(type: "integer", nullable: false),
                    Overdue = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_overview_counts", x => new { x.Month, x.Cvr, x.LevelUnitSorId, x.Trigger });
                });

            migrationBuilder.CreateTable(
                name: "overview_decision_times",
                columns: table => new
                {
                    Month = table.Column<string>(type: "text", nullable: false),
                    Cvr = table.Column<string>(type: "text", nullable: false),
                    LevelUnitSorId = table.Column<string>(type: "text", nullable: false),
                    Trigger = table.Column<string>(type: "text", nullable: false),
                    Tenths = table.Column<int>(type: "integer", nullable: false),
                    Decisions = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_overview_decision_times", x => new { x.Month, x.Cvr, x.LevelUnitSorId, x.Trigger, x.Tenths });
                });

            migrationBuilder.CreateIndex(
                name: "IX_notices_CaseId",
                table: "notices",
                column: "CaseId");

            migrationBuilder.CreateIndex(
                name: "IX_cases_ClosedAt",
                table: "cases",
                column: "ClosedAt",
                filter: "\"ClosedAt\" IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "overview_counts");

            migrationBuilder.DropTable(
                name: "overview_decision_times");

            migrationBuilder.DropIndex(
                name: "IX_notices_CaseId",
                table: "notices");

            migrationBuilder.DropIndex(
                name: "IX_cases_ClosedAt",
                table: "cases");
        }
    }
}
