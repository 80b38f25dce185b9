//! Barcodes of payment numbers: Code 128 (ISO/IEC 15417), set C for pairs of digits and set B for everything else.

use std::fmt::Write as _;

use crate::qr::Drawing;

/// The widths of bars and gaps of each symbol, six digits each; the last is the stop sign with its final bar.
const PATTERNS: &str = "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221\
    223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321\
    112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131\
    311123311321331121312113312311332111314111221411431111111224111422121124121421141122141221112214112412122114\
    122411142112142211241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141\
    214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214211232";
const STOP: &str = "2331112";
const START_B: usize = 104;
const START_C: usize = 105;
const TO_C: usize = 99;
const TO_B: usize = 100;
/// The quiet zone on both sides, in modules.
const QUIET: usize = 10;
const HEIGHT: usize = 60;

/// A barcode; nothing for a content that is empty, long or not printable ASCII.
pub(crate) fn drawing(content: &str) -> Option<Drawing> {
    let printable = content.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if content.is_empty() || content.len() > 48 || !printable {
        return None;
    }
    let widths = widths(&symbols(content.as_bytes()));
    let total: usize = widths.iter().sum::<usize>() + 2 * QUIET;
    let mut path = String::new();
    let mut at = QUIET;
    for (place, width) in widths.iter().enumerate() {
        if place % 2 == 0 {
            let _ = write!(path, "M{at} 0h{width}v{HEIGHT}h-{width}z");
        }
        at += width;
    }
    Some(Drawing { width: total, height: HEIGHT, path })
}

/// The symbols with start and check symbol.
fn symbols(content: &[u8]) -> Vec<usize> {
    let digits = |at: usize| content[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut pairs = digits(0) >= 4;
    let mut symbols = vec![if pairs { START_C } else { START_B }];
    let mut at = 0;
    while at < content.len() {
        if pairs && digits(at) < 2 {
            pairs = false;
            symbols.push(TO_B);
        } else if !pairs && digits(at) >= 4 && digits(at) % 2 == 0 {
            pairs = true;
            symbols.push(TO_C);
        }
        if pairs {
            symbols.push(usize::from(content[at] - b'0') * 10 + usize::from(content[at + 1] - b'0'));
            at += 2;
        } else {
            symbols.push(usize::from(content[at] - 0x20));
            at += 1;
        }
    }
    let sum: usize = symbols.iter().enumerate().map(|(place, symbol)| place.max(1) * symbol).sum();
    symbols.push(sum % 103);
    symbols
}

fn widths(symbols: &[usize]) -> Vec<usize> {
    let patterns = symbols.iter().flat_map(|symbol| PATTERNS[6 * symbol..6 * symbol + 6].bytes());
    patterns.chain(STOP.bytes()).map(|digit| usize::from(digit - b'0')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_those_of_the_standards_examples() {
        // "Wikipedia" in set B has the check symbol 88; an even run of digits goes in pairs.
        assert_eq!(symbols(b"Wikipedia"), [104, 55, 73, 75, 73, 80, 69, 68, 73, 65, 88]);
        assert_eq!(symbols(b"123456"), [105, 12, 34, 56, 44]);
        assert_eq!(symbols(b"12345"), [105, 12, 34, 100, 21, (105 + 12 + 68 + 300 + 84) % 103]);
    }

    #[test]
    fn every_symbol_is_eleven_modules_wide_and_unlike_any_other() {
        assert_eq!(PATTERNS.len(), 6 * 106);
        let mut all: Vec<&str> = (0..106).map(|at| &PATTERNS[6 * at..6 * at + 6]).collect();
        assert!(all.iter().all(|p| p.bytes().map(|b| usize::from(b - b'0')).sum::<usize>() == 11));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 106);
    }

    #[test]
    fn what_no_scanner_reads_is_not_drawn() {
        assert!(drawing("12345678").is_some());
        assert_eq!((drawing(""), drawing("é"), drawing(&"1".repeat(49))), (None, None, None));
    }
}
