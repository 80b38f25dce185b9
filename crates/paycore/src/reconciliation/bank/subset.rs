//! Which of a few amounts make up a sum, if only one choice of them does: meet in the middle.

/// More candidates than this are not searched: the number of choices doubles with each.
pub const CANDIDATES_MAX: usize = 24;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No choice makes up the sum.
    None,
    /// Exactly one does: the positions, ascending.
    One(Vec<usize>),
    /// At least two do, so that none may be believed; or there are too many candidates to know.
    Several,
}

/// Looks for the choices of `amounts`, not empty, that sum to one of `targets`.
pub fn subset(amounts: &[i64], targets: &[i64]) -> Found {
    if amounts.len() > CANDIDATES_MAX {
        return Found::Several;
    }
    let (left, right) = amounts.split_at(amounts.len() / 2);
    let (left, mut right) = (sums(left), sums(right));
    right.sort_unstable();
    let mut targets = targets.to_vec();
    targets.sort_unstable();
    targets.dedup();
    let mut found: Option<(u32, u32)> = None;
    for target in targets {
        for &(sum, chosen) in &left {
            let wanted = i128::from(target) - sum;
            let start = right.partition_point(|(sum, _)| *sum < wanted);
            let fits = right[start..].iter().take_while(|(sum, _)| *sum == wanted);
            for &(_, other) in fits.filter(|(_, other)| chosen != 0 || *other != 0) {
                if found.replace((chosen, other)).is_some() {
                    return Found::Several;
                }
            }
        }
    }
    let half = amounts.len() / 2;
    found.map_or(Found::None, |(left, right)| {
        let bits = |mask: u32, from: usize| (0..CANDIDATES_MAX).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| bit + from);
        Found::One(bits(left, 0).chain(bits(right, half)).collect())
    })
}

/// The sum of every choice, with the choice as bits.
fn sums(amounts: &[i64]) -> Vec<(i128, u32)> {
    let mut all = vec![(0_i128, 0_u32)];
    for (bit, amount) in amounts.iter().enumerate() {
        for position in 0..all.len() {
            let (sum, chosen) = all[position];
            all.push((sum + i128::from(*amount), chosen | 1 << bit));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_one_choice_is_believed() {
        assert_eq!(subset(&[5, 7, 11], &[16]), Found::One(vec![0, 2]));
        assert_eq!(subset(&[5, 7, 12], &[12]), Found::Several);
        assert_eq!(subset(&[5, 5], &[5]), Found::Several);
        assert_eq!(subset(&[5, 7], &[6]), Found::None);
        assert_eq!(subset(&[5, -5, 3], &[0]), Found::One(vec![0, 1]));
        assert_eq!(subset(&[], &[0]), Found::None);
        assert_eq!(subset(&[5, 7], &[5, 7]), Found::Several);
        assert_eq!(subset(&[1; 25], &[25]), Found::Several);
        assert_eq!(subset(&[i64::MAX, i64::MAX, 1], &[1]), Found::One(vec![2]));
    }

    #[test]
    fn twenty_four_candidates_are_searched() {
        let amounts: Vec<i64> = (0..24).map(|bit| 1 << bit).collect();
        let all = (1 << 24) - 1;
        assert_eq!(subset(&amounts, &[all]), Found::One((0..24).collect()));
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_every_choice(
            amounts in prop::collection::vec(-9_i64..20, 0..9), target in -20_i64..60
        ) {
            let choices: Vec<Vec<usize>> = (1_u32..1 << amounts.len())
                .map(|mask| (0..amounts.len()).filter(|bit| mask >> bit & 1 == 1).collect())
                .filter(|choice: &Vec<usize>| choice.iter().map(|i| amounts[*i]).sum::<i64>() == target)
                .collect();
            let expected = match choices.as_slice() {
                [] => Found::None,
                [one] => Found::One(one.clone()),
                _ => Found::Several,
            };
            prop_assert_eq!(subset(&amounts, &[target]), expected);
        }
    }
}
