using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Approval.Migrations
{
    /// <inheritdoc />
    public partial class WorkList : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "IX_cases_Cvr_EscalatedUnitSorId_State_DecisionDue_CaseId",
                table: "cases",
                columns: new[] { "Cvr", "EscalatedUnitSorId", "State", "DecisionDue", "CaseId" },
                filter: "\"EscalatedUnitSorId\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_cases_Cvr_LevelUnitSorId_State_DecisionDue_CaseId",
                table: "cases",
                columns: new[] { "Cvr", "LevelUnitSorId", "State", "DecisionDue", "CaseId" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_cases_Cvr_EscalatedUnitSorId_State_DecisionDue_CaseId",
                table: "cases");

            migrationBuilder.DropIndex(
                name: "IX_cases_Cvr_LevelUnitSorId_State_DecisionDue_CaseId",
                table: "cases");
        }
    }
}
