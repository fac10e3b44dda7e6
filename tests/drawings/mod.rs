//! The pictures that are drawn from searches. What stands in them is as narrow as a phone, so that
//! their letters can be read there.

pub mod growth;
pub mod search_tree;

const WIDTH: usize = 348;

/// A picture with a text for those who do not see it.
fn picture(id: &str, height: usize, title: &str, described: &str, drawn: &str) -> String {
    format!(
        "<svg class=\"picture\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{id}-title\">{title}</title>\n\
         <desc id=\"{id}-desc\">{described}</desc>\n{drawn}</svg>\n"
    )
}
