using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Approval.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "case_deadlines",
                columns: table => new
                {
                    DeadlineId = table.Column<string>(type: "text", nullable: false),
                    CaseId = table.Column<string>(type: "text", nullable: false),
                    Kind = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_case_deadlines", x => x.DeadlineId);
                });

            migrationBuilder.CreateTable(
                name: "cases",
                columns: table => new
                {
                    CaseId = table.Column<string>(type: "text", nullable: false),
                    PatientKey = table.Column<string>(type: "text", nullable: false),
                    SealedCpr = table.Column<string>(type: "text", nullable: false),
                    Cvr = table.Column<string>(type: "text", nullable: false),
                    Trigger = table.Column<string>(type: "text", nullable: false),
                    BehaviourOn = table.Column<DateOnly>(type: "date", nullable: false),
                    ActivatedAt = table.Column<long>(type: "bigint", nullable: false),
                    ActivatedBy = table.Column<string>(type: "text", nullable: false),
                    LevelUnitSorId = table.Column<string>(type: "text", nullable: true),
                    DecisionDue = table.Column<long>(type: "bigint", nullable: false),
                    EndsAt = table.Column<long>(type: "bigint", nullable: false),
                    SealedReason = table.Column<string>(type: "text", nullable: true),
                    EscalatedUnitSorId = table.Column<string>(type: "text", nullable: true),
                    State = table.Column<int>(type: "integer", nullable: false),
                    DecidedAs = table.Column<int>(type: "integer", nullable: true),
                    DecidedAt = table.Column<long>(type: "bigint", nullable: true),
                    UpheldBy = table.Column<string>(type: "text", nullable: true),
                    Renewals = table.Column<int>(type: "integer", nullable: false),
                    ClosedAt = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_cases", x => x.CaseId);
                });

            migrationBuilder.CreateTable(
                name: "inbox",
                columns: table => new
                {
                    Publisher = table.Column<string>(type: "text", nullable: false),
                    Position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_inbox", x => new { x.Publisher, x.Position });
                });

            migrationBuilder.CreateTable(
                name: "inbox_cursors",
                columns: table => new
                {
                    Publisher = table.Column<string>(type: "text", nullable: false),
                    Position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_inbox_cursors", x => x.Publisher);
                });

            migrationBuilder.CreateTable(
                name: "journal",
                columns: table => new
                {
                    Position = table.Column<long>(type: "bigint", nullable: false),
                    EventId = table.Column<Guid>(type: "uuid", nullable: false),
                    Type = table.Column<string>(type: "text", nullable: false),
                    Subject = table.Column<string>(type: "text", nullable: false),
                    PatientKey = table.Column<string>(type: "text", nullable: false),
                    OccurredAt = table.Column<long>(type: "bigint", nullable: false),
                    Actor = table.Column<string>(type: "text", nullable: false),
                    Data = table.Column<string>(type: "text", nullable: false),
                    TraceParent = table.Column<string>(type: "text", nullable: false),
                    Hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_journal", x => x.Position);
                });

            migrationBuilder.CreateTable(
                name: "key_check",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false),
                    Value = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_key_check", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notices",
                columns: table => new
                {
                    NoticeId = table.Column<string>(type: "text", nullable: false),
                    Kind = table.Column<string>(type: "text", nullable: false),
                    CaseId = table.Column<string>(type: "text", nullable: false),
                    Cvr = table.Column<string>(type: "text", nullable: false),
                    ToPerson = table.Column<string>(type: "text", nullable: true),
                    ToUnitSorId = table.Column<string>(type: "text", nullable: true),
                    SentAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notices", x => x.NoticeId);
                });

            migrationBuilder.CreateTable(
                name: "relay_cursor",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false),
                    Position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_relay_cursor", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "renewal_grounds",
                columns: table => new
                {
                    CaseId = table.Column<string>(type: "text", nullable: false),
                    ExtendsEnd = table.Column<long>(type: "bigint", nullable: false),
                    By = table.Column<string>(type: "text", nullable: false),
                    SealedReason = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_renewal_grounds", x => new { x.CaseId, x.ExtendsEnd, x.By });
                });

            migrationBuilder.CreateTable(
                name: "case_questions",
                columns: table => new
                {
                    CaseId = table.Column<string>(type: "text", nullable: false),
                    Number = table.Column<int>(type: "integer", nullable: false),
                    AskedBy = table.Column<string>(type: "text", nullable: false),
                    AskedAt = table.Column<long>(type: "bigint", nullable: false),
                    SealedText = table.Column<string>(type: "text", nullable: false),
                    AnsweredBy = table.Column<string>(type: "text", nullable: true),
                    AnsweredAt = table.Column<long>(type: "bigint", nullable: true),
                    SealedAnswer = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_case_questions", x => new { x.CaseId, x.Number });
                    table.ForeignKey(
                        name: "FK_case_questions_cases_CaseId",
                        column: x => x.CaseId,
                        principalTable: "cases",
                        principalColumn: "CaseId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "case_steps",
                columns: table => new
                {
                    CaseId = table.Column<string>(type: "text", nullable: false),
                    Number = table.Column<int>(type: "integer", nullable: false),
                    Kind = table.Column<string>(type: "text", nullable: false),
                    DecidedBy = table.Column<string>(type: "text", nullable: false),
                    DecidedAt = table.Column<long>(type: "bigint", nullable: false),
                    SealedReason = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_case_steps", x => new { x.CaseId, x.Number });
                    table.ForeignKey(
                        name: "FK_case_steps_cases_CaseId",
                        column: x => x.CaseId,
                        principalTable: "cases",
                        principalColumn: "CaseId",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_case_deadlines_CaseId",
                table: "case_deadlines",
                column: "CaseId");

            migrationBuilder.CreateIndex(
                name: "IX_cases_ActivatedAt",
                table: "cases",
                column: "ActivatedAt");

            migrationBuilder.CreateIndex(
                name: "IX_cases_Cvr_State_DecisionDue_CaseId",
                table: "cases",
                columns: new[] { "Cvr", "State", "DecisionDue", "CaseId" });

            migrationBuilder.CreateIndex(
                name: "IX_cases_PatientKey_Cvr",
                table: "cases",
                columns: new[] { "PatientKey", "Cvr" });

            migrationBuilder.CreateIndex(
                name: "IX_journal_EventId",
                table: "journal",
                column: "EventId",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_journal_PatientKey_Position",
                table: "journal",
                columns: new[] { "PatientKey", "Position" });

            migrationBuilder.CreateIndex(
                name: "IX_journal_Type_Position",
                table: "journal",
                columns: new[] { "Type", "Position" });

            migrationBuilder.CreateIndex(
                name: "IX_notices_Cvr_ToPerson_SentAt",
                table: "notices",
                columns: new[] { "Cvr", "ToPerson", "SentAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notices_Cvr_ToUnitSorId_SentAt",
                table: "notices",
                columns: new[] { "Cvr", "ToUnitSorId", "SentAt" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "case_deadlines");

            migrationBuilder.DropTable(
                name: "case_questions");

            migrationBuilder.DropTable(
                name: "case_steps");

            migrationBuilder.DropTable(
                name: "inbox");

            migrationBuilder.DropTable(
                name: "inbox_cursors");

            migrationBuilder.DropTable(
                name: "journal");

            migrationBuilder.DropTable(
                name: "key_check");

            migrationBuilder.DropTable(
                name: "notices");

            migrationBuilder.DropTable(
                name: "relay_cursor");

            migrationBuilder.DropTable(
                name: "renewal_grounds");

            migrationBuilder.DropTable(
                name: "cases");
        }
    }
}
