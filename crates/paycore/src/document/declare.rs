//! The declaration of a document.

/// Makes a type with fields `id` and `version` a document of this id, kind and index.
macro_rules! document {
    ($type:ty, $id:ty, $kind:literal, $index:expr) => {
        impl $crate::document::Document for $type {
            type Id = $id;
            const KIND: &'static str = $kind;

            fn id(&self) -> $id {
                self.id
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn set_version(&mut self, version: i64) {
                self.version = version;
            }

            fn index(&self) -> $crate::document::Index {
                let index: fn(&$type) -> $crate::document::Index = $index;
                index(self)
            }
        }
    };
}

pub(crate) use document;
