//! What the pictures that are drawn from searches have in common. They are as narrow as a phone, so
//! that their letters can be read there.

pub const WIDTH: usize = 348;

/// A picture with a text for those who do not see it.
pub fn picture(id: &str, height: usize, title: &str, described: &str, drawn: &str) -> String {
    format!(
        "<svg class=\"picture\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{id}-title\">{title}</title>\n\
         <desc id=\"{id}-desc\">{described}</desc>\n{drawn}</svg>\n"
    )
}
