//! What a hospital may set about money, as the console shows it.

use edge::Section;

use crate::settings::Settings;

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![
        Section::of::<Settings>(Settings::SECTION, "收费与退款", "Payments and refunds")
            .number(
                "approve_from_fen",
                (0, 100_000_000),
                "窗口退费、对账差异达到多少分需要第二人复核；0 表示都要",
                "Refunds at the desk and differences of accounts from so many fen on need a second person; 0 means all",
            )
            .number(
                "pay_minutes",
                (5, 120),
                "没有自己期限的订单，多少分钟内可以支付",
                "An order without a time of its own can be paid for so many minutes",
            )
            .key("remind_at", "当天项目的提醒时间", "When people are reminded of what is paid and due that day")
            .number(
                "refund_again",
                (0, 10),
                "平台退回的退款最多重试几次",
                "How often a refund is tried anew after the platform gave it up",
            )
            .key("insurance", "医保机构编码与位置", "What the insurance bureau knows the hospital by"),
    ]
}
