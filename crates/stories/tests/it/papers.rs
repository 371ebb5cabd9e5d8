//! A1, A2, A7, A8, B5: papers, printed and held before a camera: every code on them is read by a decoder that shares nothing with
//! what drew it, and every line is text.

use std::io::Write as _;
use std::process::{Command, Stdio};

use edge::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Browser, Hospital, Setup};

/// Runs a program of poppler's on a paper.
fn poppler(program: &str, args: &[&str], paper: &[u8]) -> Vec<u8> {
    let mut run = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; install poppler-utils"));
    run.stdin.take().unwrap().write_all(paper).unwrap();
    let done = run.wait_with_output().unwrap();
    assert!(done.status.success(), "{program} could not read the paper");
    done.stdout
}

/// A paper's first page as a camera sees it.
struct Picture {
    width: usize,
    height: usize,
    points: Vec<u8>,
}

/// Points in a millimetre, at 200 to the inch.
const POINTS: f64 = 200.0 / 25.4;

impl Picture {
    fn of(paper: &Answer) -> Self {
        let picture = poppler("pdftoppm", &["-gray", "-r", "200", "-singlefile", "-"], &paper.bytes);
        // P5, width and height, 255, then a byte for each point.
        let (mut at, mut head) = (0, Vec::new());
        while head.len() < 4 {
            let word: Vec<u8> =
                picture[at..].iter().copied().take_while(|b| !b.is_ascii_whitespace()).collect();
            at += word.len() + 1;
            head.push(String::from_utf8(word).unwrap());
        }
        assert_eq!(head[0], "P5");
        let (width, height) = (head[1].parse().unwrap(), head[2].parse().unwrap());
        Self { width, height, points: picture[at..].to_vec() }
    }

    /// The part at a place: left, top, width and height in millimetres.
    fn part(&self, [left, top, width, height]: [f64; 4]) -> Self {
        let [left, top, width, height] =
            [left, top, width, height].map(|mm| format!("{:.0}", mm * POINTS).parse::<usize>().unwrap());
        let rows = self.points.chunks(self.width).skip(top).take(height);
        let points = rows.flat_map(|row| row[left..left + width].iter().copied()).collect();
        Self { width, height, points }
    }

    /// Its codes, from left to right.
    fn codes(&self) -> Vec<String> {
        let point = |x: usize, y: usize| self.points[y * self.width + x];
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height, point);
        let mut found: Vec<_> = image
            .detect_grids()
            .iter()
            // Among lines of text there may be what looks like a code from afar; a code that can't be read is missing in the end.
            .filter_map(|grid| Some((grid.bounds[0].x, grid.decode().ok()?.1)))
            .collect();
        found.sort();
        found.into_iter().map(|(_, text)| text).collect()
    }
}

fn codes(paper: &Answer) -> Vec<String> {
    Picture::of(paper).codes()
}

/// What somebody who marks and copies the whole paper has.
fn text(paper: &Answer) -> String {
    String::from_utf8(poppler("pdftotext", &["-layout", "-", "-"], &paper.bytes)).unwrap()
}

async fn prints(browser: &Browser, path: &str) -> Answer {
    let paper = browser.get(path).await.good();
    assert_eq!(paper.header("content-type"), "application/pdf", "{path}");
    paper
}

/// Posters, cards and slips say what they should, and their codes lead where the system says that they do.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_can_be_scanned_and_read() {
    Setup::default()
        .days(2)
        .play(async |hospital: &Hospital| {
            let office = hospital.staff(&[Role::Operations]).await;
            let make = async |wanted: Value| {
                let call = office.call(Method::POST, "/api/v1/codes").key(&testkit::browser::key());
                call.json(&wanted).send().await.expect(200)
            };
            let doctor =
                make(json!({"purpose": "doctor", "target_id": hospital.site.dr_li.id.to_string()})).await;
            let picture = doctor.text_at("picture").to_owned();
            let poster = prints(&office, &format!("/api/v1/codes/{}/poster", doctor.id())).await;
            assert_eq!(codes(&poster), std::slice::from_ref(&picture));
            let said = text(&poster);
            for line in
                ["李明", "Li Ming", "微信扫码，预约这位医生", "Scan with WeChat to book with this doctor"]
            {
                assert!(said.contains(line), "{line}: {said}");
            }
            // Ten business cards of 90 by 54 mm, cut apart.
            let cards = prints(&office, &format!("/api/v1/codes/{}/cards", doctor.id())).await;
            let sheet = Picture::of(&cards);
            for (row, column) in (0..5_u8).flat_map(|row| [(row, 0_u8), (row, 1)]) {
                let card =
                    sheet.part([15.0 + 90.0 * f64::from(column), 13.5 + 54.0 * f64::from(row), 90.0, 54.0]);
                assert_eq!(card.codes(), std::slice::from_ref(&picture), "row {row}, column {column}");
            }
            assert_eq!(text(&cards).matches("微信扫码预约").count(), 10);

            // One code joins the network, with every sign that must be written otherwise in one; the other opens the account.
            let name = json!({"zh": "门诊大厅", "en": "Main hall"});
            let wifi = json!({"ssid": "Xinglin;Guest", "password": "a\\b\"c:d,e"});
            let wifi = make(json!({"purpose": "wifi", "name": name, "wifi": wifi})).await;
            let poster = prints(&office, &format!("/api/v1/codes/{}/poster", wifi.id())).await;
            assert_eq!(
                codes(&poster),
                ["WIFI:T:WPA;S:Xinglin\\;Guest;P:a\\\\b\\\"c\\:d\\,e;;", wifi.text_at("picture")]
            );
            assert!(text(&poster).contains("免费无线网络"), "{}", text(&poster));

            // The slip for a relative at home, on the paper of receipt printers.
            let person = hospital.patient("李娜").await.who().to_owned();
            let begun = json!({"person_id": person, "agreed": true, "on_paper": true});
            let begun = office.post("/api/v1/enrolments", begun).await.expect(201);
            let slip = prints(&office, &format!("/api/v1/enrolments/{}/slip", begun.id())).await;
            assert_eq!(codes(&slip), [begun.text_at("picture")]);
            let said = text(&slip);
            assert!(said.contains("李*") && !said.contains("李娜"), "masked: {said}");

            let _no_card =
                office.get(&format!("/api/v1/codes/{}/cards", wifi.id())).await.refused(404, "not_found");
            let _closed = office.delete(&format!("/api/v1/codes/{}", wifi.id())).await.expect(204);
            let _gone =
                office.get(&format!("/api/v1/codes/{}/poster", wifi.id())).await.refused(410, "code_closed");
            let _ended = office.delete(&format!("/api/v1/enrolments/{}", begun.id())).await.expect(204);
            let _over = office
                .get(&format!("/api/v1/enrolments/{}/slip", begun.id()))
                .await
                .refused(410, "code_over");
        })
        .await;
}

/// One's own data on paper: all of it text, in the language that one reads.
#[tokio::test(flavor = "multi_thread")]
async fn ones_own_data_on_paper_are_text() {
    testkit::each_hospital(async |hospital: &Hospital| {
        let owner = testkit::Someone::adult("李娜");
        let phone = hospital.patient_who_is(owner.clone()).await;
        let _visit = phone.gets(&hospital.slot(&hospital.site.dr_li, 1, "08:00").await).await;
        let paper = prints(phone.browser(), &format!("/api/v1/persons/{}/data/pdf", phone.who())).await;
        let said = text(&paper);
        for line in ["李娜", owner.number.as_str(), "杏林医院"] {
            assert!(said.contains(line), "{line}: {said}");
        }
        assert!(codes(&paper).is_empty());
    })
    .await;
}
