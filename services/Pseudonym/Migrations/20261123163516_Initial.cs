using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Pseudonym.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
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
                name: "salts",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false),
                    Sealed = table.Column<string>(type: "text", nullable: false),
                    ValidFrom = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_salts", x => x.Id);
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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "inbox");

            migrationBuilder.DropTable(
                name: "inbox_cursors");

            migrationBuilder.DropTable(
                name: "journal");

            migrationBuilder.DropTable(
                name: "key_check");

            migrationBuilder.DropTable(
                name: "relay_cursor");

            migrationBuilder.DropTable(
                name: "salts");
        }
    }
}
