using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Sloring.Client;
using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Unit.Client;

/// <summary>Rules M1 and M6 as the index keeps them: one masking per patient and organisation, in force while its end is later than now.</summary>
public sealed class MaskingIndexTests
{
    private static readonly CvrNumber North = CvrNumber.Parse("33257872");
    private static readonly CvrNumber South = CvrNumber.Parse("24256790");

    [Fact]
    public void Masking_is_in_force_until_its_end_and_not_at_it() // M6
    {
        var index = MaskingIndex.FromSnapshot([new PatientMasking(Patient(1), North, 1_000)]);

        Assert.True(index.IsMasked(Patient(1), North, 999));
        Assert.False(index.IsMasked(Patient(1), North, 1_000));
        Assert.False(index.IsMasked(Patient(1), South, 0)); // M1: other organisations are untouched
        Assert.False(index.IsMasked(Patient(2), North, 0));
    }

    [Fact]
    public void Earlier_picture_stays_as_it_was_when_a_change_makes_a_new_one()
    {
        var before = MaskingIndex.FromSnapshot([new PatientMasking(Patient(1), North, 1_000)]);
        var after = before.With([new PatientMasking(Patient(1), North, 0), new PatientMasking(Patient(1), South, 2_000)]);

        Assert.True(before.IsMasked(Patient(1), North, 0));
        Assert.False(before.IsMasked(Patient(1), South, 0));
        Assert.False(after.IsMasked(Patient(1), North, 0));
        Assert.True(after.IsMasked(Patient(1), South, 0));
        Assert.Equal((1, 1), (before.Count, after.Count));
    }

    [Fact]
    public void Random_history_of_changes_agrees_with_a_dictionary() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var (patients, organisations) = (random.Next(1, 300), random.Next(1, 4));
            PatientMasking Some() => new(
                Patient(random.Next(patients)), new CvrNumber(10_000_000 + (uint)random.Next(organisations)), random.Next(5) == 0 ? 0 : random.Next(1, 100));

            var snapshot = Enumerable.Range(0, random.Next(300)).Select(_ => Some()).ToArray();
            var index = MaskingIndex.FromSnapshot(snapshot, new MaskingIndex.Sizes(random.Next(8), random.Next(8, 64)));
            var model = new Dictionary<(PatientKey, CvrNumber), long>();
            Remember(snapshot);
            for (var left = random.Next(600); left > 0;)
            {
                var changes = Enumerable.Range(0, random.Next(20) == 0 ? random.Next(100) : 1).Select(_ => Some()).ToArray();
                index = index.With(changes);
                Remember(changes);
                left -= changes.Length + 1;
            }
            Agree(index, model, patients, organisations, now: random.Next(100));

            void Remember(PatientMasking[] maskings)
            {
                foreach (var masking in maskings)
                {
                    if (masking.EndsAtMs == 0)
                        model.Remove((masking.Patient, masking.Cvr));
                    else
                        model[(masking.Patient, masking.Cvr)] = masking.EndsAtMs;
                }
            }
        }).QuickCheckThrowOnFailure();

    private static void Agree(MaskingIndex index, Dictionary<(PatientKey, CvrNumber), long> model, int patients, int organisations, long now)
    {
        Assert.Equal(model.Count, index.Count);
        Assert.Equal(model.Count, index.All().Count());
        for (var p = 0; p < patients; p++)
        {
            var inForce = new HashSet<PatientMasking>();
            foreach (var masking in index.ForPatient(Patient(p), now))
                Assert.True(inForce.Add(masking));
            var expected = new HashSet<PatientMasking>();
            for (var o = 0; o < organisations; o++)
            {
                var cvr = new CvrNumber(10_000_000 + (uint)o);
                var endsAt = model.GetValueOrDefault((Patient(p), cvr));
                Assert.Equal(endsAt, index.EndsAt(Patient(p), cvr));
                Assert.Equal(endsAt > now, index.IsMasked(Patient(p), cvr, now));
                if (endsAt > now)
                    expected.Add(new PatientMasking(Patient(p), cvr, endsAt));
            }
            Assert.Equal(expected, inForce);
            Assert.Equal(expected.Count > 0, index.ForPatient(Patient(p), now).Any());
        }
    }

    [Fact]
    public void Difference_of_two_pictures_leads_from_one_to_the_other() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            MaskingIndex Some() => MaskingIndex.FromSnapshot(
                [.. Enumerable.Range(0, random.Next(200)).Select(_ => new PatientMasking(Patient(random.Next(100)), North, random.Next(5)))])
                .With([.. Enumerable.Range(0, random.Next(20)).Select(_ => new PatientMasking(Patient(random.Next(100)), North, random.Next(5)))]);
            var (before, after) = (Some(), Some());

            var difference = before.ChangesTo(after).ToArray();

            Assert.Equal(after.All().ToHashSet(), before.With(difference).All().ToHashSet());
            Assert.All(difference, change => Assert.NotEqual(before.EndsAt(change.Patient, North), change.EndsAtMs));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Empty_index_masks_nobody()
    {
        Assert.Equal(0, MaskingIndex.Empty.EndsAt(Patient(1), North));
        Assert.False(MaskingIndex.Empty.ForPatient(Patient(1), 0).Any());
        Assert.Same(MaskingIndex.Empty, MaskingIndex.Empty.With([]));
    }

    private static PatientKey Patient(int number)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(BitConverter.GetBytes(number), hash);
        return new PatientKey(BitConverter.ToUInt64(hash), BitConverter.ToUInt64(hash[8..]));
    }
}
