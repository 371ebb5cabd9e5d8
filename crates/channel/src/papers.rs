//! Papers to print: posters, business cards, Wi-Fi posters, slips, and a person's own data.

use base::{Date, Lang, Text2};
use edge::Hospital;
use print::{Align, Document, Font, FontError, Ink, Page, Text};

use crate::model::{Code, Purpose, Wifi};

/// A4, in millimetres.
const A4: (f32, f32) = (210.0, 297.0);
/// A business card as printers cut it in China, in millimetres.
const CARD: (f32, f32) = (90.0, 54.0);
/// The paper of receipt printers, in millimetres.
const SLIP: (f32, f32) = (80.0, 150.0);
/// The colour of headings and bars.
const GREEN: Ink = Ink(0.03, 0.37, 0.28);

/// The font of the papers.
///
/// # Errors
/// [`FontError`] when the machine has none with Chinese characters.
pub fn font() -> Result<Font, FontError> {
    static FONT: std::sync::OnceLock<Font> = std::sync::OnceLock::new();
    if let Some(font) = FONT.get() {
        return Ok(font.clone());
    }
    let font = Font::of_machine()?;
    Ok(FONT.get_or_init(|| font).clone())
}

fn text(size: f32, ink: Ink, align: Align) -> Text {
    Text { size, ink, align }
}

/// One line in Chinese above the same in English, in the middle of a page, as large as fits. Gives the next foot.
fn both(page: &mut Page<'_>, middle: f32, top: f32, width: f32, size: f32, ink: Ink, words: &Text2) -> f32 {
    let zh = page.fitting(size, width, &words.zh);
    page.line(middle, top, text(zh, ink, Align::Middle), &words.zh);
    let en = page.fitting(size * 0.6, width, &words.en);
    let foot = top + size * 0.42;
    page.line(middle, foot, text(en, ink, Align::Middle), &words.en);
    foot
}

/// What a poster says above its code.
fn call(purpose: Purpose) -> Text2 {
    match purpose {
        Purpose::Doctor => Text2::new("微信扫码，预约这位医生", "Scan with WeChat to book with this doctor"),
        Purpose::Department => Text2::new("微信扫码，预约本科室", "Scan with WeChat to book here"),
        Purpose::Wifi => Text2::new("微信扫码，预约挂号", "Scan with WeChat to book a visit"),
        Purpose::Place | Purpose::Poster | Purpose::Enrolment => Text2::new("微信扫一扫", "Scan with WeChat"),
    }
}

/// A poster, A4.
///
/// # Errors
/// [`FontError`].
pub fn poster(hospital: &Hospital, code: &Code, picture: &str) -> Result<Vec<u8>, FontError> {
    let mut document = Document::new(font()?, &code.name.zh, "zh-CN");
    document.page(A4.0, A4.1, |page| {
        let middle = A4.0 / 2.0;
        page.rect(0.0, 0.0, A4.0, 46.0, GREEN);
        both(page, middle, 24.0, 180.0, 34.0, Ink::WHITE, &hospital.profile.name);
        both(page, middle, 74.0, 180.0, 44.0, Ink::BLACK, &code.name);
        page.code(40.0, 104.0, 130.0, picture);
        both(page, middle, 246.0, 180.0, 26.0, GREEN, &call(code.purpose));
        foot(page, hospital, middle, 280.0);
    })?;
    Ok(document.finish())
}

/// A Wi-Fi poster, A4: one code joins the network, the other opens the account.
///
/// # Errors
/// [`FontError`].
pub fn wifi_poster(
    hospital: &Hospital,
    code: &Code,
    wifi: &Wifi,
    picture: &str,
) -> Result<Vec<u8>, FontError> {
    let mut document = Document::new(font()?, "Wi-Fi", "zh-CN");
    document.page(A4.0, A4.1, |page| {
        let middle = A4.0 / 2.0;
        page.rect(0.0, 0.0, A4.0, 46.0, GREEN);
        both(page, middle, 24.0, 180.0, 34.0, Ink::WHITE, &hospital.profile.name);
        both(page, middle, 74.0, 180.0, 44.0, Ink::BLACK, &Text2::new("免费无线网络", "Free Wi-Fi"));
        for (left, edge_code, step, words) in [
            (14.0, wifi.join_text(), "1", Text2::new("用手机相机扫码连接", "Scan with the camera to join")),
            (112.0, picture.to_owned(), "2", call(code.purpose)),
        ] {
            let centre = left + 42.0;
            page.line(centre, 112.0, text(34.0, GREEN, Align::Middle), step);
            page.code(left, 118.0, 84.0, &edge_code);
            both(page, centre, 214.0, 86.0, 18.0, Ink::BLACK, &words);
        }
        let name = format!("{}: {}", "Wi-Fi", wifi.ssid);
        let size = page.fitting(24.0, 180.0, &name);
        page.line(middle, 244.0, text(size, Ink::BLACK, Align::Middle), &name);
        if !wifi.password.is_empty() {
            let line = format!("密码 Password: {}", wifi.password);
            let size = page.fitting(20.0, 180.0, &line);
            page.line(middle, 256.0, text(size, Ink::BLACK, Align::Middle), &line);
        }
        foot(page, hospital, middle, 280.0);
    })?;
    Ok(document.finish())
}

/// A sheet of ten business cards, A4, with marks for cutting.
///
/// # Errors
/// [`FontError`].
pub fn cards(hospital: &Hospital, code: &Code, lines: &[Text2], picture: &str) -> Result<Vec<u8>, FontError> {
    let mut document = Document::new(font()?, &code.name.zh, "zh-CN");
    let (left, top) = ((A4.0 - 2.0 * CARD.0) / 2.0, (A4.1 - 5.0 * CARD.1) / 2.0);
    document.page(A4.0, A4.1, |page| {
        for (row, column) in (0_u8..5).flat_map(|row| [(row, 0_u8), (row, 1)]) {
            let (x, y) = (left + f32::from(column) * CARD.0, top + f32::from(row) * CARD.1);
            card(page, hospital, code, lines, picture, x, y);
        }
        for row in 0_u8..=5 {
            let y = top + f32::from(row) * CARD.1;
            page.rect(left - 8.0, y - 0.05, 5.0, 0.1, Ink::GREY);
            page.rect(A4.0 - left + 3.0, y - 0.05, 5.0, 0.1, Ink::GREY);
        }
        for column in 0_u8..=2 {
            let x = left + f32::from(column) * CARD.0;
            page.rect(x - 0.05, top - 8.0, 0.1, 5.0, Ink::GREY);
            page.rect(x - 0.05, A4.1 - top + 3.0, 0.1, 5.0, Ink::GREY);
        }
    })?;
    Ok(document.finish())
}

fn card(
    page: &mut Page<'_>,
    hospital: &Hospital,
    code: &Code,
    lines: &[Text2],
    picture: &str,
    x: f32,
    y: f32,
) {
    page.rect(x, y + 3.0, 2.0, CARD.1 - 6.0, GREEN);
    let room = CARD.0 - 46.0;
    let name = page.fitting(20.0, room, &code.name.zh);
    page.line(x + 6.0, y + 14.0, text(name, Ink::BLACK, Align::Left), &code.name.zh);
    let en = page.fitting(11.0, room, &code.name.en);
    page.line(x + 6.0, y + 20.0, text(en, Ink::GREY, Align::Left), &code.name.en);
    let mut foot = y + 27.0;
    for line in lines.iter().take(2) {
        for words in [&line.zh, &line.en] {
            let size = page.fitting(8.0, room, words);
            page.line(x + 6.0, foot, text(size, Ink::BLACK, Align::Left), words);
            foot += 4.0;
        }
    }
    let house = page.fitting(9.0, room, &hospital.profile.name.zh);
    page.line(x + 6.0, y + CARD.1 - 6.0, text(house, GREEN, Align::Left), &hospital.profile.name.zh);
    page.code(x + CARD.0 - 39.0, y + 5.0, 36.0, picture);
    let words = "微信扫码预约  Scan to book";
    page.line(x + CARD.0 - 21.0, y + 47.0, text(7.0, Ink::BLACK, Align::Middle), words);
}

/// What stands on a slip for somebody who has no phone.
#[derive(Debug, Clone)]
pub struct Slip {
    /// The patient, masked.
    pub name_masked: String,
    /// What stands in the code's picture.
    pub picture: String,
    /// Until when a relative can scan it.
    pub until: Date,
}

/// A slip, on the paper of receipt printers.
///
/// # Errors
/// [`FontError`].
pub fn slip(hospital: &Hospital, slip: &Slip) -> Result<Vec<u8>, FontError> {
    let mut document = Document::new(font()?, "绑定就诊人", "zh-CN");
    document.page(SLIP.0, SLIP.1, |page| {
        let middle = SLIP.0 / 2.0;
        both(page, middle, 12.0, 72.0, 15.0, Ink::BLACK, &hospital.profile.name);
        page.line(middle, 30.0, text(18.0, Ink::BLACK, Align::Middle), &slip.name_masked);
        page.code(16.0, 34.0, 48.0, &slip.picture);
        let words = "请家属用微信扫码，按提示填写患者姓名即可绑定，之后就能在手机上替患者预约挂号。";
        let foot = page.paragraph(6.0, 90.0, 68.0, text(11.0, Ink::BLACK, Align::Left), 1.5, words);
        let words = "A relative scans this with WeChat and gives the patient's name; then visits can be booked on that phone.";
        let foot = page.paragraph(6.0, foot + 1.0, 68.0, text(8.5, Ink::BLACK, Align::Left), 1.4, words);
        let until = format!("有效期至 {0}  Good until {0}", slip.until);
        page.line(6.0, foot + 3.0, text(8.5, Ink::BLACK, Align::Left), &until);
        let phone = format!("没有手机也能看病：到窗口，或致电 {}", hospital.profile.phone);
        let size = page.fitting(9.0, 68.0, &phone);
        page.line(6.0, foot + 10.0, text(size, Ink::BLACK, Align::Left), &phone);
        let phone = format!("No phone needed: come to the desk, or call {}", hospital.profile.phone);
        let size = page.fitting(8.0, 68.0, &phone);
        page.line(6.0, foot + 15.0, text(size, Ink::BLACK, Align::Left), &phone);
    })?;
    Ok(document.finish())
}

/// A heading and the lines under it.
#[derive(Debug, Clone)]
pub struct Block {
    /// The heading.
    pub title: &'static str,
    /// What stands under it.
    pub lines: Vec<String>,
}

/// A person's own data, as many pages of A4 as it takes.
///
/// # Errors
/// [`FontError`].
pub fn data(
    hospital: &Hospital,
    lang: Lang,
    title: &str,
    note: &str,
    blocks: &[Block],
) -> Result<Vec<u8>, FontError> {
    let tag = match lang {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    };
    let mut document = Document::new(font()?, title, tag);
    let mut left: Vec<(bool, &str)> = Vec::new();
    for block in blocks {
        left.push((true, block.title));
        left.extend(block.lines.iter().map(|line| (false, line.as_str())));
    }
    let (mut at, mut number) = (0, 1);
    while at < left.len() || number == 1 {
        let rest = left.get(at..).unwrap_or_default();
        let taken = document.page(A4.0, A4.1, |page| {
            page.line(20.0, 20.0, text(10.0, Ink::GREY, Align::Left), hospital.profile.name.get(lang));
            let mut foot = 34.0;
            if number == 1 {
                page.line(20.0, 32.0, text(18.0, Ink::BLACK, Align::Left), title);
                foot = page.paragraph(20.0, 42.0, 170.0, text(10.0, Ink::GREY, Align::Left), 1.5, note) + 4.0;
            }
            let mut taken = 0;
            for (heading, line) in rest {
                if foot > 268.0 && taken > 0 {
                    break;
                }
                foot = if *heading {
                    page.line(20.0, foot + 4.0, text(13.0, GREEN, Align::Left), line);
                    foot + 12.0
                } else {
                    page.paragraph(20.0, foot, 170.0, text(11.0, Ink::BLACK, Align::Left), 1.6, line)
                };
                taken += 1;
            }
            page.line(105.0, 285.0, text(9.0, Ink::GREY, Align::Middle), &number.to_string());
            taken
        })?;
        at += taken;
        number += 1;
    }
    Ok(document.finish())
}

fn foot(page: &mut Page<'_>, hospital: &Hospital, middle: f32, baseline: f32) {
    if hospital.profile.phone.is_empty() {
        return;
    }
    let words = format!("电话 Tel. {}", hospital.profile.phone);
    page.line(middle, baseline, text(14.0, Ink::GREY, Align::Middle), &words);
}
