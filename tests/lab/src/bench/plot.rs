//! A plot with two logarithmic axes as SVG.

use std::fmt::Write as _;

use super::cost::float;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 180.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 6] = ["#d9480f", "#1c7ed6", "#2b8a3e", "#862e9c", "#495057", "#e67700"];

/// A line: its name and its points.
pub type Line = (String, Vec<(f64, f64)>);

/// A plot.
#[derive(Debug)]
pub struct Plot {
    /// What stands above it.
    pub title: &'static str,
    /// What stands below it.
    pub below: &'static str,
    /// The lines, of which those without a point are left out.
    pub lines: Vec<Line>,
}

/// Powers of ten around all values.
fn decades(values: impl Iterator<Item = f64> + Clone) -> (i32, i32) {
    let least = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
    let most = values.fold(0.0, f64::max).log10().ceil();
    #[allow(clippy::cast_possible_truncation, reason = "logarithms of measured values")]
    let (least, most) = (least as i32, most as i32);
    (least, most.max(least + 1))
}

impl Plot {
    /// The SVG; nothing if there is no point.
    pub fn svg(&self) -> Option<String> {
        let lines: Vec<&Line> = self.lines.iter().filter(|(_, points)| !points.is_empty()).collect();
        let points = lines.iter().flat_map(|(_, points)| points.iter().copied());
        points.clone().next()?;
        let (x, y) = (decades(points.clone().map(|(x, _)| x)), decades(points.map(|(_, y)| y)));
        let across = |value: f64| along(value, x, LEFT, WIDTH - RIGHT);
        let up = |value: f64| along(value, y, HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{}</text>\n\
             <text x=\"{LEFT}\" y=\"{}\">{}</text>\n",
            self.title,
            HEIGHT - 12.0,
            self.below
        );
        for power in x.0..=x.1 {
            let at = across(10_f64.powi(power));
            rule(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM));
            text(&mut svg, (at, HEIGHT - BOTTOM + 18.0), "middle", &tick(power));
        }
        for power in y.0..=y.1 {
            let at = up(10_f64.powi(power));
            rule(&mut svg, (LEFT, at), (WIDTH - RIGHT, at));
            text(&mut svg, (LEFT - 6.0, at + 4.0), "end", &tick(power));
        }
        for (number, ((name, points), colour)) in lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let path: Vec<String> =
                points.iter().map(|(x, y)| format!("{:.1},{:.1}", across(*x), up(*y))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            for (x, y) in points {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                    across(*x),
                    up(*y)
                );
            }
            let down = TOP + 16.0 * float(number) + 10.0;
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{down:.0}\" fill=\"{colour}\">{name}</text>",
                WIDTH - RIGHT + 12.0
            );
        }
        Some(svg + "</svg>\n")
    }
}

/// The place of a value between two ends of an axis.
fn along(value: f64, decades: (i32, i32), from: f64, to: f64) -> f64 {
    let (least, most) = (f64::from(decades.0), f64::from(decades.1));
    from + (to - from) * (value.log10() - least) / (most - least)
}

fn rule(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#dee2e6\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, words: &str) {
    let _ =
        writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{words}</text>", at.0, at.1);
}

fn tick(power: i32) -> String {
    format!("{}", 10_f64.powi(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_where_its_logarithm_is() {
        let plot = Plot {
            title: "t",
            below: "b",
            lines: vec![("one".to_owned(), vec![(10.0, 1.0), (1000.0, 100.0)])],
        };
        let svg = plot.svg().unwrap();
        assert!(svg.contains("points=\"70.0,350.0 540.0,40.0\""), "{svg}");
        assert_eq!(Plot { title: "t", below: "b", lines: Vec::new() }.svg(), None);
    }
}
