//! What a hospital may set about waiting, as the console shows it.

use edge::Section;

use crate::settings::Settings;

/// The sections.
pub(crate) fn sections() -> Vec<Section> {
    vec![
        Section::of::<Settings>(Settings::SECTION, "报到与排队", "Checking in and waiting")
            .number("early_minutes", (0, 720), "时段开始前多少分钟可以报到", "Check-in opens so many minutes before the time segment")
            .number(
                "late_after_minutes",
                (0, 720),
                "时段开始后超过多少分钟报到，排到当前时段之后",
                "Whoever comes so many minutes after the segment's start goes behind those of the segment of the moment",
            )
            .number(
                "over_after_minutes",
                (0, 1440),
                "时段结束后超过多少分钟不能自助报到（工作人员仍可办理）",
                "So many minutes after the segment's end people can't check in by themselves any more; staff can",
            )
            .number("elder_from_age", (50, 120), "满多少岁享受老年优先", "From this age on people are in the priority group of the elderly")
            .number("return_every", (1, 50), "每叫几位，安排一位检查后回诊的", "One in so many calls goes to somebody who is back from an exam")
            .number("priority_every", (1, 50), "每叫几位，安排一位优先对象", "One in so many calls goes to somebody of a priority group")
            .number("miss_back", (1, 50), "过号后隔几位再叫", "A missed call comes again after so many others")
            .number("push_far", (0, 100), "前面还有几位时第一次提醒；0 表示不提醒", "The first push: so many are before you; 0 switches it off")
            .number("push_near", (0, 100), "前面还有几位时第二次提醒；0 表示不提醒", "The second push: so many are before you; 0 switches it off")
            .key("push_next", "下一位时提醒", "Whether the next one is told so")
            .number("undo_seconds", (0, 60), "叫号操作多少秒内可以撤销", "A step at the desk can be taken back for so many seconds")
            .number("vague_from_m", (10, 5000), "手机定位误差超过多少米就不作为到院依据", "A position that the phone knows worse than this, in metres, proves nothing")
            .number("way_back_minutes", (0, 60), "告诉患者可以走开多久时，留出多少分钟走回来", "So many minutes are kept for the way back, when people are told how long they may walk around")
            .number(
                "forgotten_minutes",
                (10, 720),
                "叫号后多少分钟没有任何操作，视为已就诊",
                "Somebody who has been in a room for so many minutes without anything being done there is counted as seen",
            )
            .key("remind_days", "可取物品备好后，第几天提醒来取", "On which days after it was ready somebody is reminded of what they have to pick up")
            .number("provisional_hours", (1, 720), "只凭纸质单登记的检查单有效多少小时", "For how many hours an order that is only known from its paper is good"),
    ]
}
