//! The exceptions to the rules, each with its reason. One that is no longer needed is itself a finding.

use super::source::{Finding, Source};

/// One exception: this rule does not hold for this file, and why.
pub struct Exception {
    /// The rule, as in the table of `tidy`.
    pub rule: &'static str,
    /// The file, or a folder when it ends with `/`.
    pub path: &'static str,
    /// Why the rule does not fit here.
    pub reason: &'static str,
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: "ambient",
        path: "crates/paycore/src/crypto/native.rs",
        reason: "aws-lc takes its own generator as an argument of every RSA signature and key generation",
    },
    Exception {
        rule: "ambient",
        path: "crates/paycore/src/crypto/envelope.rs",
        reason: "an AES-GCM nonce that repeats breaks the seal, so it never comes from a source that a test may seed",
    },
    Exception {
        rule: "ambient",
        path: "crates/server/src/simulate.rs",
        reason: "the command line of the simulation says how long the run took; nothing simulated reads it",
    },
];

/// Whether `rule` does not hold for `path`.
pub fn holds(rule: &str, path: &str) -> bool {
    EXCEPTIONS.iter().any(|exception| exception.covers(rule, path))
}

impl Exception {
    fn covers(&self, rule: &str, path: &str) -> bool {
        self.rule == rule && (self.path == path || (self.path.ends_with('/') && path.starts_with(self.path)))
    }
}

/// Leaves out what is excepted, and reports exceptions that nothing needs any more.
pub fn apply(exceptions: &[Exception], found: Vec<Finding>, sources: &[Source]) -> Vec<Finding> {
    let unused = exceptions.iter().filter(|exception| {
        let needed = found.iter().any(|finding| exception.covers(finding.rule, &finding.path));
        let exists = sources.iter().any(|source| source.path.starts_with(exception.path));
        !needed && exists
    });
    let unused: Vec<_> = unused
        .map(|exception| Finding {
            path: exception.path.into(),
            line: 0,
            rule: "exceptions",
            message: format!(
                "nothing here breaks `{}` any more: take the exception out of its table",
                exception.rule
            ),
        })
        .collect();
    let mut left: Vec<_> = found
        .into_iter()
        .filter(|finding| !exceptions.iter().any(|exception| exception.covers(finding.rule, &finding.path)))
        .collect();
    left.extend(unused);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[Exception] = &[Exception { rule: "float", path: "crates/a/", reason: "a sample" }];

    #[test]
    fn an_exception_silences_its_rule_in_its_place_only() {
        let source = |path: &str| Source::new(path, "");
        let sources = [source("crates/a/x.rs"), source("crates/b/x.rs")];
        let found = vec![
            sources[0].finding("float", 1, "m"),
            sources[0].finding("sql", 1, "m"),
            sources[1].finding("float", 1, "m"),
        ];
        let left: Vec<_> =
            apply(SAMPLE, found, &sources).into_iter().map(|finding| (finding.rule, finding.path)).collect();
        assert_eq!(left, [("sql", "crates/a/x.rs".to_owned()), ("float", "crates/b/x.rs".to_owned())]);
    }

    #[test]
    fn an_exception_nobody_needs_is_found() {
        let sources = [Source::new("crates/a/x.rs", "")];
        assert_eq!(apply(SAMPLE, Vec::new(), &sources)[0].rule, "exceptions");
    }

    #[test]
    fn every_exception_gives_a_reason() {
        assert!(EXCEPTIONS.iter().all(|exception| exception.reason.len() > 20));
    }
}
