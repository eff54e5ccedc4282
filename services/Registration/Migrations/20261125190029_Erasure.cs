using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Sloring.Registration.Migrations
{
    /// <inheritdoc />
    public partial class Erasure : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "ClosedAt",
                table: "units",
                type: "bigint",
                nullable: true);

            // When those of before were returned, refused or removed is not kept in the row: they count from now on.
            migrationBuilder.Sql("""UPDATE units SET "ClosedAt" = (extract(epoch FROM now()) * 1000)::bigint WHERE "State" IN (3, 4, 6)""");

            migrationBuilder.AddColumn<Guid>(
                name: "About",
                table: "accepted_requests",
                type: "uuid",
                nullable: false,
                defaultValue: new Guid("00000000-0000-0000-0000-000000000000"));

            migrationBuilder.CreateIndex(
                name: "over",
                table: "maskings",
                column: "EndsAt",
                filter: "\"State\" <> 1");

            migrationBuilder.CreateIndex(
                name: "IX_accepted_requests_About",
                table: "accepted_requests",
                column: "About");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "over",
                table: "maskings");

            migrationBuilder.DropIndex(
                name: "IX_accepted_requests_About",
                table: "accepted_requests");

            migrationBuilder.DropColumn(
                name: "ClosedAt",
                table: "units");

            migrationBuilder.DropColumn(
                name: "About",
                table: "accepted_requests");
        }
    }
}
