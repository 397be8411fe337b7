//! The drawings of the tray icon, as this system wants them: twice the size of Linux panels, a template that
//! macOS colours itself, twice the size of the Windows task bar's icons.

use anyhow::Context;
use views::tray::Icon;

macro_rules! drawing {
    ($name:literal) => {{
        #[cfg(not(any(target_os = "macos", windows)))]
        let png = include_bytes!(concat!("../../../icons/tray/", $name, "-44.png"));
        #[cfg(target_os = "macos")]
        let png = include_bytes!(concat!("../../../icons/tray/mono/", $name, "-44.png"));
        #[cfg(windows)]
        let png = include_bytes!(concat!("../../../icons/tray/", $name, "-32.png"));
        png
    }};
}

/// The drawing of an icon.
///
/// # Errors
/// Never, with drawings of eight bits for each of red, green, blue and opacity.
pub fn picture(icon: Icon) -> anyhow::Result<tray_icon::Icon> {
    let mut png = png::Decoder::new(std::io::Cursor::new(file(icon))).read_info()?;
    let mut points = vec![0; png.output_buffer_size().context("a drawing without end")?];
    let drawn = png.next_frame(&mut points)?;
    Ok(tray_icon::Icon::from_rgba(points, drawn.width, drawn.height)?)
}

fn file(icon: Icon) -> &'static [u8] {
    match icon {
        Icon::Armed => drawing!("armed"),
        Icon::NearLimit => drawing!("near-limit"),
        Icon::Locked => drawing!("locked"),
        Icon::NotProtected => drawing!("not-protected"),
        Icon::Observing => drawing!("observing"),
        Icon::Starting => drawing!("starting"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drawing_can_be_drawn() {
        use Icon::{Armed, Locked, NearLimit, NotProtected, Observing, Starting};
        for icon in [Armed, NearLimit, Locked, NotProtected, Observing, Starting] {
            picture(icon).unwrap();
        }
    }
}
