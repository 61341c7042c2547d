//! Plots as SVG, plain enough to be read on a light and on a dark page.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 50.0;

/// Colours that those who see fewer of them can tell apart.
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// One line of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// One group of bars.
#[derive(Clone, Debug)]
pub(crate) struct Bars {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
}

/// Lines over two axes that start at 0.
pub(crate) fn lines(title: &str, x_axis: &str, y_axis: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let x_step = step(points().map(|point| point.0).fold(0.0, f64::max));
    let y_step = step(points().map(|point| point.1).fold(0.0, f64::max));
    let (x_most, y_most) =
        (ceiling(points().map(|p| p.0), x_step), ceiling(points().map(|p| p.1), y_step));
    let x = |value: f64| LEFT + value / x_most * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / y_most * (HEIGHT - TOP - BOTTOM);
    let mut svg = start(title);
    for tick in ticks(x_most, x_step) {
        text(&mut svg, x(tick), HEIGHT - BOTTOM + 18.0, "middle", &number(tick));
    }
    for tick in ticks(y_most, y_step) {
        rule(&mut svg, (LEFT, y(tick)), (WIDTH - RIGHT, y(tick)));
        text(&mut svg, LEFT - 8.0, y(tick) + 4.0, "end", &number(tick));
    }
    text(&mut svg, f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 12.0, "middle", x_axis);
    text(&mut svg, LEFT - 8.0, TOP - 12.0, "end", y_axis);
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path: Vec<String> =
            line.points.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let path = path.join(" ");
        let _ = writeln!(
            svg,
            r#"<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>"#
        );
        for (px, py) in &line.points {
            let _ = writeln!(
                svg,
                r#"<circle cx="{:.1}" cy="{:.1}" r="3" fill="{colour}"/>"#,
                x(*px),
                y(*py)
            );
        }
    }
    let ends = lines.iter().filter_map(|line| Some((y(line.points.last()?.1), &line.name)));
    for (height, name) in apart(ends.collect()) {
        text(&mut svg, WIDTH - RIGHT + 8.0, height + 4.0, "start", name);
    }
    end(svg)
}

/// Moves labels down so far that none covers another.
fn apart<T>(mut labels: Vec<(f64, T)>) -> Vec<(f64, T)> {
    labels.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = 0.0;
    for (height, _) in &mut labels {
        *height = height.max(free);
        free = *height + 14.0;
    }
    labels
}

/// Groups of horizontal bars, with a rule at 1.
pub(crate) fn bars(title: &str, series: &[&str], groups: &[Bars]) -> String {
    let values = || groups.iter().flat_map(|group| group.values.iter().copied());
    let step = step(values().fold(1.0, f64::max));
    let most = ceiling(values().chain([1.0]), step);
    let left = LEFT + 50.0;
    let x = |value: f64| left + value / most * (WIDTH - left - RIGHT);
    let slot = (HEIGHT - TOP - BOTTOM) / groups.len().max(1) as f64;
    let bar = slot * 0.8 / series.len().max(1) as f64;
    let mut svg = start(title);
    for tick in ticks(most, step) {
        text(&mut svg, x(tick), HEIGHT - BOTTOM + 18.0, "middle", &number(tick));
    }
    for (place, group) in groups.iter().enumerate() {
        let top = TOP + slot * place as f64;
        text(&mut svg, left - 8.0, top + slot * 0.4 + 4.0, "end", &group.name);
        for ((number, value), colour) in group.values.iter().enumerate().zip(COLOURS) {
            let y = top + bar * number as f64;
            let _ = writeln!(
                svg,
                r#"<rect x="{left:.1}" y="{y:.1}" width="{:.1}" height="{:.1}" fill="{colour}"/>"#,
                x(*value) - left,
                bar * 0.9
            );
            text(&mut svg, x(*value) + 5.0, y + bar * 0.45 + 4.0, "start", &format!("{value:.2}"));
        }
    }
    rule(&mut svg, (x(1.0), TOP), (x(1.0), HEIGHT - BOTTOM));
    for (place, (name, colour)) in series.iter().zip(COLOURS).enumerate() {
        let y = TOP + 18.0 * place as f64;
        let x = WIDTH - RIGHT + 22.0;
        let _ = writeln!(svg, r#"<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>"#);
        text(&mut svg, x + 18.0, y + 10.0, "start", name);
    }
    end(svg)
}

/// Grey text and rules, which are seen on either background.
fn start(title: &str) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#808080\" role=\"img\">\n\
         <title>{title}</title>\n"
    );
    let _ = writeln!(svg, r#"<text x="{LEFT}" y="20" font-size="15">{title}</text>"#);
    svg
}

fn end(mut svg: String) -> String {
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
}

fn rule(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        svg,
        r##"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="#808080" stroke-opacity="0.5"/>"##
    );
}

/// A step of 1, 2 or 5 times a power of ten, with at most six steps up to `most`.
fn step(most: f64) -> f64 {
    let rough = (most / 6.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    factors.map(|factor| factor * power).into_iter().find(|step| *step >= rough).unwrap_or(rough)
}

fn ceiling(values: impl Iterator<Item = f64>, step: f64) -> f64 {
    (values.fold(0.0, f64::max) / step).ceil().max(1.0) * step
}

fn ticks(most: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..=(most / step).round() as u32).map(move |n| f64::from(n) * step)
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        format!("{}k", value / 1000.0)
    } else {
        format!("{:.3}", value).trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_kept_apart() {
        let labels = apart(vec![(105.0, 'b'), (100.0, 'a'), (200.0, 'c')]);
        assert_eq!(labels, [(100.0, 'a'), (114.0, 'b'), (200.0, 'c')]);
    }

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(step(500.0), 100.0);
        assert_eq!(step(1.4), 0.5);
        assert_eq!(ceiling([501.0].into_iter(), 100.0), 600.0);
        assert_eq!(ticks(1.0, 0.5).collect::<Vec<_>>(), [0.0, 0.5, 1.0]);
        assert_eq!(number(20_000.0), "20k");
        assert_eq!(number(0.5), "0.5");
    }
}
