using FsCheck;
using FsCheck.Fluent;
using Sloring.Approval.Domain;
using Sloring.Contracts.Approval.V1;
using Xunit;
using static Sloring.Tests.Unit.Approval.Cases;

namespace Sloring.Tests.Unit.Approval;

public sealed class OverviewRulesTests
{
    private static readonly OverviewKey Key = new("2026-01", "29190623", Level, "threats");

    // O1
    [Fact]
    public void The_overview_counts_activations_decisions_renewals_overdue_and_time_to_decision()
    {
        var late = Fact(CaseState.Upheld, hours: 24 * 20) with { Renewals = 2 };
        var superseded = Fact(null) with { ClosedAt = Monday.AddDays(2) };
        OverviewFact[] facts = [Fact(CaseState.Upheld, 10), Fact(CaseState.Lifted, 30), late, Fact(null), superseded];
        var (key, figures) = Assert.Single(Rows(facts, Monday.AddDays(30)));
        Assert.Equal(Key, key);
        Assert.Equal(new OverviewFigures(Activations: 5, Upheld: 2, Lifted: 1, Renewed: 2, Overdue: 2, MedianHours: 30), figures);
    }

    [Fact]
    public void An_undecided_case_is_overdue_from_its_deadline_O1()
    {
        var fact = Fact(null);
        Assert.Equal(0, Assert.Single(Rows([fact], fact.DecisionDue.AddTicks(-1))).Figures.Overdue);
        Assert.Equal(1, Assert.Single(Rows([fact], fact.DecisionDue)).Figures.Overdue);
    }

    [Fact]
    public void Rows_are_in_the_order_of_month_level_and_trigger_O1()
    {
        OverviewFact[] facts =
            [Fact(null) with { Key = Key with { Month = "2026-02" } }, Fact(null), Fact(null) with { Key = Key with { Trigger = "harassment" } }];
        Assert.Equal(
            ["2026-01 harassment", "2026-01 threats", "2026-02 threats"],
            Rows(facts, Monday).Select(row => $"{row.Key.Month} {row.Key.Trigger}"));
    }

    [Fact]
    public void Counts_of_erased_cases_give_the_same_figures_as_the_cases_did_O1() => Prop.ForAll(
        (from minutes in Gen.Choose(0, 60_000)
         from decided in Gen.Elements(CaseState.Upheld, CaseState.Lifted, CaseState.Open)
         from trigger in Gen.Elements("threats", "violence")
         from renewals in Gen.Choose(0, 2)
         from erased in Gen.Elements(true, false)
         select (erased, fact: Fact(decided == CaseState.Open ? null : decided) with
         {
             Key = Key with { Trigger = trigger },
             DecidedAt = decided == CaseState.Open ? null : Monday.AddMinutes(minutes),
             ClosedAt = Monday.AddDays(90),
             Renewals = renewals,
         })).ListOf().ToArbitrary(),
        cases =>
        {
            var kept = OverviewRules.Count(cases.Where(c => !c.erased).Select(c => c.fact), Monday.AddYears(6));
            var erased = OverviewRules.Count(cases.Where(c => c.erased).Select(c => c.fact), Monday.AddYears(5));
            Assert.Equal(Rows(cases.Select(c => c.fact), Monday.AddDays(91)), OverviewRules.Aggregate(kept.Concat(erased)));
        }).QuickCheckThrowOnFailure();

    // O2
    [Theory]
    [InlineData(4, 4, 0, 0, "- - - -")] // a small row shows nothing
    [InlineData(20, 12, 6, 5, "20 12 6 5")]
    [InlineData(20, 12, 4, 0, "20 12 - -")]
    [InlineData(20, 20, 0, 0, "20 - - -")] // all upheld would say that none was lifted
    [InlineData(20, 0, 20, 0, "20 - - -")]
    [InlineData(20, 1, 19, 6, "20 - - 6")] // renewals would say that one was upheld
    public void Small_cells_and_those_that_give_them_away_are_suppressed(int activations, int upheld, int lifted, int renewed, string shown)
    {
        var figures = OverviewRules.Suppress(new OverviewFigures(activations, upheld, lifted, renewed, 0, 12.5), 5);
        Assert.Equal(shown, $"{Text(figures.Activations)} {Text(figures.Upheld)} {Text(figures.Lifted)} {Text(figures.Renewed)}");
        static string Text(int? count) => count?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-";
    }

    [Fact]
    public void The_median_shows_only_where_enough_was_decided_O2()
    {
        Assert.Null(OverviewRules.Suppress(new OverviewFigures(20, 3, 1, 0, 0, 12.5), 5).MedianHours);
        Assert.Equal(12.5, OverviewRules.Suppress(new OverviewFigures(20, 3, 2, 0, 0, 12.5), 5).MedianHours);
    }

    /// <summary>
    /// O2, exhaustively: a reader who knows every rule here sorts all rows that could be by what is shown of them. Behind each
    /// thing shown there are, for every suppressed cell, rows with different counts: nothing shown gives a suppressed count away.
    /// </summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void No_suppressed_count_can_be_derived(int smallest)
    {
        var behind = AllRows(upTo: smallest * 3).GroupBy(row => OverviewRules.Suppress(row, smallest));
        foreach (var rows in behind)
        {
            foreach (var cell in (Func<OverviewFigures, int?>[])[r => r.Activations, r => r.Upheld, r => r.Lifted, r => r.Renewed, r => r.Overdue])
                Assert.True(cell(rows.Key) is not null || rows.Select(cell).Distinct().Count() > 1, $"{rows.Key} gives a count away");
        }
    }

    [Fact]
    public void No_shown_count_is_small_O2() => Prop.ForAll(
        Arb.From(
            from smallest in Gen.Choose(3, 12)
            from activations in Gen.Choose(1, 60)
            from upheld in Gen.Choose(0, activations)
            from lifted in Gen.Choose(0, activations - upheld)
            from renewed in Gen.Choose(0, upheld * 2)
            from overdue in Gen.Choose(0, activations)
            select (smallest, row: new OverviewFigures(activations, upheld, lifted, renewed, overdue, 1))),
        drawn =>
        {
            var shown = OverviewRules.Suppress(drawn.row, drawn.smallest);
            int?[] counts = [shown.Activations, shown.Upheld, shown.Lifted, shown.Renewed, shown.Overdue];
            return counts.All(count => count is null || count >= drawn.smallest);
        }).QuickCheckThrowOnFailure();

    private static IReadOnlyList<(OverviewKey Key, OverviewFigures Figures)> Rows(IEnumerable<OverviewFact> facts, DateTimeOffset now) =>
        OverviewRules.Aggregate(OverviewRules.Count(facts, now));

    private static IEnumerable<OverviewFigures> AllRows(int upTo) =>
        from activations in Enumerable.Range(1, upTo)
        from upheld in Enumerable.Range(0, activations + 1)
        from lifted in Enumerable.Range(0, activations - upheld + 1)
        from renewed in Enumerable.Range(0, upheld == 0 ? 1 : upTo)
        from overdue in Enumerable.Range(0, activations + 1)
        select new OverviewFigures(activations, upheld, lifted, renewed, overdue, upheld + lifted == 0 ? null : 24);

    private static OverviewFact Fact(CaseState? decidedAs, int hours = 0) => new(
        Key, Monday, Deadlines.DecisionDue(Monday, Chosen), Monday.AddDays(90), decidedAs,
        decidedAs is null ? null : Monday.AddHours(hours), decidedAs == CaseState.Lifted ? Monday.AddHours(hours) : null, 0);
}
