//! `paycore openapi` and `paycore docs`: what the reference is made from.

use std::process::ExitCode;

use clap::Subcommand;
use paycore_server::{openapi, reference};

use super::fail;

/// A page of the reference.
#[derive(Debug, Subcommand)]
pub enum Page {
    /// The states of orders and attempts, as diagrams. 订单状态图。
    OrderStates,
    /// A channel: methods, settings, sources. 渠道说明。
    Channel {
        /// Its id, such as `alipay`.
        id: String,
    },
}

/// Prints the OpenAPI document.
pub fn openapi() -> ExitCode {
    super::print(&openapi::text());
    ExitCode::SUCCESS
}

/// Prints a page.
pub fn print(page: &Page) -> ExitCode {
    match text(page) {
        Some(text) => {
            super::print(&text);
            ExitCode::SUCCESS
        }
        None => {
            let known: Vec<_> = paycore_channels::REGISTRY.iter().map(|driver| driver.profile().id).collect();
            fail(&format!("there is no such channel; known are {}", known.join(", ")))
        }
    }
}

fn text(page: &Page) -> Option<String> {
    match page {
        Page::OrderStates => Some(paycore::order::state::diagram()),
        Page::Channel { id } => {
            let driver = paycore_channels::REGISTRY.iter().find(|driver| driver.profile().id == id)?;
            Some(reference::channel(*driver))
        }
    }
}
