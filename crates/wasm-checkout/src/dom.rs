//! Elements, made in code: no HTML is ever parsed, so that no text can become markup.

use web_sys::{Document, Element};

use crate::qr::Drawing;

const SVG: &str = "http://www.w3.org/2000/svg";

/// Makes elements of one document.
#[derive(Debug, Clone)]
pub(crate) struct Maker(pub(crate) Document);

/// An element under construction. What a browser refuses (an element that cannot be made) is left out.
#[derive(Debug, Clone)]
pub(crate) struct Part(pub(crate) Option<Element>);

impl Maker {
    /// An element with a class, which is also its name for `::part`.
    pub(crate) fn part(&self, tag: &str, class: &str) -> Part {
        let part = Part(self.0.create_element(tag).ok());
        if class.is_empty() {
            return part;
        }
        let name = class.split(' ').next().unwrap_or_default();
        part.attr("class", class).attr("part", name)
    }

    /// A drawing, named for people who do not see it.
    pub(crate) fn drawing(&self, drawing: &Drawing, label: &str, stretch: bool) -> Part {
        let shape = |path: &str, fill: &str| {
            Part(self.0.create_element_ns(Some(SVG), "path").ok()).attr("d", path).attr("fill", fill)
        };
        let (width, height) = (drawing.width, drawing.height);
        let svg = Part(self.0.create_element_ns(Some(SVG), "svg").ok())
            .attr("viewBox", &format!("0 0 {width} {height}"))
            .attr("shape-rendering", "crispEdges")
            .attr("role", "img")
            .attr("aria-label", label)
            .with(shape(&format!("M0 0h{width}v{height}h-{width}z"), "#fff"))
            .with(shape(&drawing.path, "#000"));
        if stretch { svg.attr("preserveAspectRatio", "none") } else { svg }
    }

    /// A button that does something: `what` comes back from a click.
    pub(crate) fn button(&self, what: &str, label: &str, quiet: bool) -> Part {
        let class = if quiet { "Button Button--quiet" } else { "Button" };
        self.part("button", class).attr("type", "button").attr("data-do", what).text(label)
    }

    /// A link that looks like a button.
    pub(crate) fn link(&self, url: &str, label: &str, quiet: bool) -> Part {
        let class = if quiet { "Button Button--quiet" } else { "Button" };
        self.part("a", class).attr("href", url).attr("rel", "noopener noreferrer").text(label)
    }
}

impl Part {
    pub(crate) fn attr(self, name: &str, value: &str) -> Part {
        if let Some(element) = &self.0 {
            // Only a name that is none can fail, and all names here are our own.
            let _ = element.set_attribute(name, value);
        }
        self
    }

    pub(crate) fn text(self, text: &str) -> Part {
        if let Some(element) = &self.0 {
            element.set_text_content(Some(text));
        }
        self
    }

    pub(crate) fn with(self, child: Part) -> Part {
        if let (Some(element), Some(child)) = (&self.0, &child.0) {
            let _ = element.append_child(child);
        }
        self
    }

    pub(crate) fn with_all(self, children: impl IntoIterator<Item = Part>) -> Part {
        children.into_iter().fold(self, Part::with)
    }
}
