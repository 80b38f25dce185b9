//! The browser checkout widget
