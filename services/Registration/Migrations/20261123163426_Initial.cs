using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Registration.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "accepted_requests",
                columns: table => new
                {
                    KeyHash = table.Column<string>(type: "text", nullable: false),
                    ContentHash = table.Column<string>(type: "text", nullable: false),
                    SealedAnswer = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_accepted_requests", x => x.KeyHash);
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
                name: "maskings",
                columns: table => new
                {
                    MaskingId = table.Column<Guid>(type: "uuid", nullable: false),
                    Patient = table.Column<string>(type: "text", nullable: false),
                    SealedCpr = table.Column<string>(type: "text", nullable: false),
                    Cvr = table.Column<long>(type: "bigint", nullable: false),
                    Trigger = table.Column<int>(type: "integer", nullable: false),
                    BehaviourOn = table.Column<DateOnly>(type: "date", nullable: false),
                    ActivatedAt = table.Column<long>(type: "bigint", nullable: false),
                    ActivatedBy = table.Column<string>(type: "text", nullable: false),
                    EndsAt = table.Column<long>(type: "bigint", nullable: false),
                    State = table.Column<int>(type: "integer", nullable: false),
                    SealedReason = table.Column<string>(type: "text", nullable: true),
                    DeadlineId = table.Column<Guid>(type: "uuid", nullable: false),
                    Position = table.Column<long>(type: "bigint", nullable: false),
                    ReasonPosition = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_maskings", x => x.MaskingId);
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
                name: "renewals",
                columns: table => new
                {
                    MaskingId = table.Column<Guid>(type: "uuid", nullable: false),
                    ExtendedEnd = table.Column<long>(type: "bigint", nullable: false),
                    EndsAt = table.Column<long>(type: "bigint", nullable: false),
                    Position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_renewals", x => new { x.MaskingId, x.ExtendedEnd });
                });

            migrationBuilder.CreateTable(
                name: "units",
                columns: table => new
                {
                    UnitMaskingId = table.Column<Guid>(type: "uuid", nullable: false),
                    SorId = table.Column<string>(type: "text", nullable: true),
                    Shak = table.Column<string>(type: "text", nullable: true),
                    UnitSorId = table.Column<string>(type: "text", nullable: false),
                    Name = table.Column<string>(type: "text", nullable: false),
                    Cvr = table.Column<long>(type: "bigint", nullable: false),
                    State = table.Column<int>(type: "integer", nullable: false),
                    SealedGrounds = table.Column<string>(type: "text", nullable: false),
                    InForceFrom = table.Column<long>(type: "bigint", nullable: true),
                    ReviewOn = table.Column<DateOnly>(type: "date", nullable: true),
                    Position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_units", x => x.UnitMaskingId);
                });

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
                name: "active",
                table: "maskings",
                columns: new[] { "Cvr", "Patient" },
                unique: true,
                filter: "\"State\" = 1");

            migrationBuilder.CreateIndex(
                name: "IX_maskings_Cvr_Patient_Position",
                table: "maskings",
                columns: new[] { "Cvr", "Patient", "Position" });

            migrationBuilder.CreateIndex(
                name: "IX_maskings_Cvr_Position",
                table: "maskings",
                columns: new[] { "Cvr", "Position" });

            migrationBuilder.CreateIndex(
                name: "IX_units_Position",
                table: "units",
                column: "Position");

            migrationBuilder.CreateIndex(
                name: "open",
                table: "units",
                column: "UnitSorId",
                unique: true,
                filter: "\"State\" IN (1, 2, 5)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "accepted_requests");

            migrationBuilder.DropTable(
                name: "inbox");

            migrationBuilder.DropTable(
                name: "inbox_cursors");

            migrationBuilder.DropTable(
                name: "journal");

            migrationBuilder.DropTable(
                name: "key_check");

            migrationBuilder.DropTable(
                name: "maskings");

            migrationBuilder.DropTable(
                name: "relay_cursor");

            migrationBuilder.DropTable(
                name: "renewals");

            migrationBuilder.DropTable(
                name: "units");
        }
    }
}
