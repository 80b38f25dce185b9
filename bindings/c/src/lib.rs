//! The C door: bytes in, bytes out
