//! Our references of shares and returns on the wire: the object's own id and the place of the request in it, so that
//! whoever names a request names its object.

use crate::id::Id;

/// How long the id is in front of the place.
const ID_LEN: usize = 26;

/// The reference of the n-th request of the object with this bare id: 28 characters, letters and digits.
pub fn numbered(bare: &str, n: usize) -> String {
    format!("{bare}{n:02}")
}

/// The id of the object whose request this is, if it is one of an object of this kind.
pub fn owner<T: Id>(reference: &str) -> Option<T> {
    let bare = reference.get(..ID_LEN)?;
    format!("{}_{bare}", T::PREFIX).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ShareReturnId, SplitId};

    #[test]
    fn a_reference_names_its_object_and_no_two_requests_share_one() {
        let id = SplitId::from_bits(0x0192_ab34_cd56_7000_8000_0123_4567_89ab);
        let references: Vec<String> = [1, 9, 10, 99, 100].map(|n| numbered(&id.bare(), n)).to_vec();
        for (at, reference) in references.iter().enumerate() {
            assert_eq!(owner(reference), Some(id), "{reference}");
            assert!(reference.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(!references[..at].contains(reference));
        }
        assert_eq!(references[0].len(), 28, "wires that share take 32");
        for foreign in ["", "01", "P20150806125346", "分账分账分账分账分账分账分账", &"!".repeat(28)]
        {
            assert_eq!(owner::<ShareReturnId>(foreign), None, "{foreign}");
        }
    }
}
