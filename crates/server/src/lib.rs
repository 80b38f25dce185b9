//! The hosted server: HTTP routes from the operation catalogue, workers and the command line
