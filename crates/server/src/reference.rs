//! The pages of the reference that are made from the code: one per channel.

use std::fmt::Write as _;

use paycore::channel::{Capability, CaptureMode, Currencies, Driver, Field, FieldKind, Profile, Verb};

/// The page of a channel, in Markdown, from its profile.
pub fn channel(driver: &dyn Driver) -> String {
    let profile = driver.profile();
    let mut page = format!("# {} {}\n\n", profile.name, profile.name_zh);
    let sandbox = if driver.simulator().is_some() {
        "It has a simulator: in a sandbox an account needs no settings. 有模拟器：沙箱账户无需填写配置。"
    } else {
        "It has no simulator. 没有模拟器。"
    };
    let _ = write!(page, "Channel id 渠道标识: `{}`. {sandbox}\n\n", profile.id);
    methods(&mut page, profile);
    settings(&mut page, profile);
    let _ = write!(page, "## Sources 资料来源\n\n");
    for source in profile.sources {
        let _ = writeln!(page, "- <{source}>");
    }
    page
}

fn methods(page: &mut String, profile: &Profile) {
    page.push_str("## Methods 支付方式\n\n| method 方式 | currencies 币种 | payers from 付款人地区 | capture 请款 | operations 操作 |\n|---|---|---|---|---|\n");
    for capability in profile.capabilities {
        let _ = writeln!(
            page,
            "| `{}.{}` | {} | {} | {} | {} |",
            capability.brand,
            capability.scene,
            currencies(capability),
            if capability.countries.is_empty() {
                "any 不限".to_owned()
            } else {
                capability.countries.join(", ")
            },
            joined(capability.captures, |mode| match mode {
                CaptureMode::Automatic => "automatic 自动",
                CaptureMode::Manual => "manual 手动",
            }),
            joined(capability.verbs, |verb| verb_text(*verb)),
        );
    }
    page.push('\n');
}

fn currencies(capability: &Capability) -> String {
    match capability.currencies {
        Currencies::Any => "all of ISO 4217 全部".to_owned(),
        Currencies::Only(list) => list.iter().map(|currency| currency.code()).collect::<Vec<_>>().join(", "),
    }
}

fn verb_text(verb: Verb) -> &'static str {
    match verb {
        Verb::Pay => "pay 支付",
        Verb::Query => "query 查询",
        Verb::Close => "close 关闭",
        Verb::Capture => "capture 请款",
        Verb::Void => "void 撤销",
        Verb::Refund => "refund 退款",
        Verb::QueryRefund => "query refund 退款查询",
        Verb::Share => "share 分账",
        Verb::QueryShare => "query share 分账查询",
        Verb::Release => "release 解冻剩余",
        Verb::ReturnShare => "return share 分账回退",
        Verb::QueryReturn => "query return 回退查询",
        Verb::SignMandate => "sign mandate 签约",
        Verb::QueryMandate => "query mandate 协议查询",
        Verb::RevokeMandate => "revoke mandate 解约",
        _ => "other 其他",
    }
}

fn joined<T>(all: &[T], text: impl Fn(&T) -> &'static str) -> String {
    all.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn settings(page: &mut String, profile: &Profile) {
    page.push_str("## Settings 配置\n\n| key | what 含义 | kind 类型 | required 必填 | help 说明 |\n|---|---|---|---|---|\n");
    for field in profile.fields {
        let required = if field.required { "yes 是" } else { "no 否" };
        let Field { key, label, label_zh, help, help_zh, .. } = field;
        let _ = writeln!(
            page,
            "| `{key}` | {label} {label_zh} | {} | {required} | {help} {help_zh} |",
            kind(field.kind)
        );
    }
    page.push('\n');
}

fn kind(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text 文本",
        FieldKind::Secret => "secret 密钥",
        FieldKind::Url => "address 地址",
        FieldKind::PrivateKey => "private key 私钥",
        FieldKind::PublicKey => "public key 公钥",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_a_page_with_all_its_methods_and_settings() {
        for driver in paycore_channels::REGISTRY {
            let page = channel(*driver);
            let profile = driver.profile();
            for capability in profile.capabilities {
                assert!(page.contains(&format!("`{}.{}`", capability.brand, capability.scene)), "{page}");
            }
            for field in profile.fields {
                assert!(page.contains(&format!("| `{}` |", field.key)), "{page}");
            }
            assert!(!page.contains("other 其他"), "{page}");
        }
    }
}
