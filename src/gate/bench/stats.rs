//! The rule that tells slower from noise: a rank test, a median and a bootstrap, over pairs taken in turns.
//!
//! Means of blocks call every third unchanged program slower on a noisy machine, and a significance test over a block
//! before and a block after calls a warm machine a regression. Pairs in turns drift together. A pair's ratio is the time
//! on the tree under review over the time on the base.

/// Fewer pairs than this can't reach the level of the rank test, whatever they say.
pub const LEAST_PAIRS: usize = 7;
/// The level of the one-sided rank test.
const LEVEL: f64 = 0.01;
/// Shares of the bootstrap's medians below its lower bound, which calls slower, and above its upper one, which passes. The
/// rank test alone would use up the one false alarm in a hundred; where times vary widely the lower bound takes some of them back.
const TAILS: (f64, f64) = (0.02, 0.05);
/// Draws of the bootstrap.
const DRAWS: usize = 1000;
/// Above this number of pairs the rank sum is as good as normal.
const EXACT: usize = 60;

/// What the pairs say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The median ratio.
    pub ratio: f64,
    /// The bootstrap's bounds of it.
    pub bounds: (f64, f64),
    /// How likely ranks like these are if nothing got slower.
    pub p: f64,
    /// What follows.
    pub finding: Finding,
}

/// What follows from the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It got slower by more than the threshold.
    Slower,
    /// It did not.
    NotSlower,
    /// There are too few pairs, or they are too far apart, to say.
    Unsure,
}

/// Compares pairs of (base, tree under review). `threshold` is a share: 0.03 for 3 %. None without pairs.
pub fn compare(pairs: &[(f64, f64)], threshold: f64) -> Option<Comparison> {
    let ratios: Vec<f64> = pairs.iter().map(|(base, head)| head / base).collect();
    if ratios.is_empty() || ratios.iter().any(|ratio| !ratio.is_finite() || *ratio <= 0.0) {
        return None;
    }
    let limit = 1.0 + threshold;
    let bounds = bootstrap(&ratios);
    let finding = if ratios.len() < LEAST_PAIRS {
        Finding::Unsure
    } else if is_slower(&ratios, limit) {
        Finding::Slower
    } else if bounds.1 < limit {
        Finding::NotSlower
    } else {
        Finding::Unsure
    };
    Some(Comparison { ratio: median(&mut ratios.clone()), bounds, p: rank_test(&ratios), finding })
}

/// Whether these ratios call slower: all of median, rank test and bootstrap, the dearest last.
pub(super) fn is_slower(ratios: &[f64], limit: f64) -> bool {
    ratios.len() >= LEAST_PAIRS
        && median(&mut ratios.to_vec()) > limit
        && rank_test(ratios) < LEVEL
        && bootstrap(ratios).0 > 1.0
}

/// The median; sorts. Zero without numbers.
pub(super) fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let at = |index: usize| numbers.get(index).copied().unwrap_or_default();
    if numbers.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}

/// The lower and upper bound of the median, from draws with replacement. The draws are the same every time.
fn bootstrap(ratios: &[f64]) -> (f64, f64) {
    let mut random = Random::new(0x5eed);
    let mut order: Vec<usize> = (0..ratios.len()).collect();
    let at = |index: usize| ratios.get(index).copied().unwrap_or_default();
    order.sort_by(|one, other| at(*one).total_cmp(&at(*other)));
    let mut medians: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut times = vec![0_usize; ratios.len()];
            for _ in 0..ratios.len() {
                if let Some(times) = times.get_mut(random.below(ratios.len())) {
                    *times += 1;
                }
            }
            // The ratio that so many draws are not above.
            let nth = |wanted: usize| {
                let mut before = 0;
                let found = order.iter().find(|index| {
                    before += times.get(**index).copied().unwrap_or_default();
                    before > wanted
                });
                found.map_or(1.0, |index| at(*index))
            };
            f64::midpoint(nth((ratios.len() - 1) / 2), nth(ratios.len() / 2))
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "draws are few"
    )]
    let rank = |share: f64| (DRAWS as f64 * share) as usize;
    let at = |index: usize| medians.get(index).copied().unwrap_or(1.0);
    (at(rank(TAILS.0)), at(DRAWS - 1 - rank(TAILS.1)))
}

/// Wilcoxon's signed ranks of the logarithms, one-sided: how likely a sum of positive ranks at least this large is.
/// Exact below [`EXACT`] pairs, with middle ranks for ties; pairs that don't differ are left out.
fn rank_test(ratios: &[f64]) -> f64 {
    let mut logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).filter(|log| *log != 0.0).collect();
    logs.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    // Doubled, so that middle ranks are whole.
    let mut ranks: Vec<usize> = Vec::with_capacity(logs.len());
    let mut first = 0;
    while let Some(size) = logs.get(first).map(|log| log.abs()) {
        let tied = logs.iter().skip(first).take_while(|log| log.abs() <= size).count();
        ranks.extend(std::iter::repeat_n(2 * first + tied + 1, tied));
        first += tied;
    }
    let sum: usize = ranks.iter().zip(&logs).filter(|(_, log)| **log > 0.0).map(|(rank, _)| rank).sum();
    if logs.len() <= EXACT { exact(&ranks, sum) } else { normal(&ranks, sum) }
}

/// The share of all ways to give signs whose positive ranks sum to `sum` at least.
fn exact(ranks: &[usize], sum: usize) -> f64 {
    let most: usize = ranks.iter().sum();
    let mut shares = vec![0.0; most + 1];
    if let Some(nothing) = shares.first_mut() {
        *nothing = 1.0;
    }
    for rank in ranks {
        for total in (0..=most).rev() {
            let with = total.checked_sub(*rank).and_then(|rest| shares.get(rest)).copied().unwrap_or(0.0);
            if let Some(share) = shares.get_mut(total) {
                *share = f64::midpoint(*share, with);
            }
        }
    }
    shares.iter().skip(sum).sum()
}

/// The same by the normal distribution.
#[expect(clippy::cast_precision_loss, reason = "ranks of a thousand pairs are far below 2^52")]
fn normal(ranks: &[usize], sum: usize) -> f64 {
    let mean = ranks.iter().sum::<usize>() as f64 / 2.0;
    let variance = ranks.iter().map(|rank| (*rank as f64).powi(2)).sum::<f64>() / 4.0;
    let z = (sum as f64 - 1.0 - mean) / variance.sqrt();
    // Abramowitz and Stegun 7.1.26: off by less than 2e-7.
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let tail = 0.5 * poly * (-x * x).exp();
    if z >= 0.0 { tail } else { 1.0 - tail }
}

/// Steele and Vigna's SplitMix64: plenty for draws, and the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// Numbers from this seed.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.bits() % (limit.max(1) as u64)).unwrap_or(0)
    }
}
