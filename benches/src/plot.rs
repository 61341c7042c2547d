//! Plots as SVG, plain enough to be read on a light and on a dark page.

use std::error::Error;

use plotters::prelude::*;

/// Colours that those who see fewer of them can tell apart.
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];
/// Is seen on either background.
const GREY: RGBColor = RGBColor(128, 128, 128);

/// Lines over two axes that start at 0.
pub(crate) fn lines(
    title: &str,
    lines: &[(&str, Vec<(f64, f64)>)],
) -> Result<String, Box<dyn Error>> {
    let font = |size: i32| ("sans-serif", size).into_font().color(&GREY);
    let most = |of: fn(&(f64, f64)) -> f64| {
        lines.iter().flat_map(|(_, points)| points).map(of).fold(0.0, f64::max)
    };
    let (right, top) = (most(|point| point.0) * 1.2, most(|point| point.1) * 1.05);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (720, 400)).into_drawing_area();
        let mut builder = ChartBuilder::on(&area);
        builder.caption(title, font(15)).margin(12).x_label_area_size(30).y_label_area_size(70);
        let mut chart = builder.build_cartesian_2d(0.0..right, 0.0..top)?;
        chart.configure_mesh().label_style(font(12)).axis_style(GREY).disable_mesh().draw()?;
        for ((name, points), colour) in lines.iter().zip(COLOURS) {
            chart.draw_series(LineSeries::new(points.clone(), colour).point_size(3))?;
            let label = |end: &(f64, f64)| Text::new(format!("  {name}"), *end, font(12));
            chart.draw_series(points.last().map(label))?;
        }
        area.present()?;
    }
    Ok(svg)
}
