//! Native dialogs: one question with two answers, and one thing said before the program gives up. Of the main
//! thread.

use views::text::quit::QuitQuestion;

/// Asks, and calls `on_quit` if that is the answer. Anything else, closing the dialog included, keeps.
#[cfg(target_os = "linux")]
pub fn ask(question: &QuitQuestion, on_quit: impl FnOnce() + 'static) {
    use gtk::prelude::*;

    let dialog = gtk::MessageDialog::new(
        None::<&gtk::Window>,
        gtk::DialogFlags::empty(),
        gtk::MessageType::Warning,
        gtk::ButtonsType::None,
        &question.title,
    );
    dialog.set_title("Risk Manager");
    dialog.set_secondary_text(Some(&question.body));
    dialog.add_button(question.quit, gtk::ResponseType::Accept);
    dialog.add_button(question.keep, gtk::ResponseType::Cancel);
    dialog.set_default_response(gtk::ResponseType::Cancel);
    dialog.set_keep_above(true);
    let on_quit = std::cell::Cell::new(Some(on_quit));
    dialog.connect_response(move |dialog, response| {
        dialog.close();
        if response == gtk::ResponseType::Accept
            && let Some(on_quit) = on_quit.take()
        {
            on_quit();
        }
    });
    dialog.show_all();
    dialog.present();
}

/// Asks, and calls `on_quit` if that is the answer. Anything else, closing the dialog included, keeps.
/// Needs a tokio runtime.
#[cfg(not(target_os = "linux"))]
pub fn ask(question: &QuitQuestion, on_quit: impl FnOnce() + Send + 'static) {
    use rfd::{AsyncMessageDialog, MessageButtons, MessageDialogResult, MessageLevel};

    let quit = question.quit;
    let answer = AsyncMessageDialog::new()
        .set_level(MessageLevel::Warning)
        .set_title(&question.title)
        .set_description(&question.body)
        .set_buttons(MessageButtons::OkCancelCustom(question.keep.into(), quit.into()))
        .show();
    tokio::spawn(async move {
        if matches!(answer.await, MessageDialogResult::Custom(text) if text == quit) {
            on_quit();
        }
    });
}

/// Says why the program cannot start, and waits until it was read.
#[cfg(target_os = "linux")]
pub fn say(title: &str, body: &str) {
    use gtk::prelude::*;

    let dialog = gtk::MessageDialog::new(
        None::<&gtk::Window>,
        gtk::DialogFlags::empty(),
        gtk::MessageType::Error,
        gtk::ButtonsType::Close,
        title,
    );
    dialog.set_title("Risk Manager");
    dialog.set_secondary_text(Some(body));
    dialog.run();
    dialog.close();
}

/// Says why the program cannot start, and waits until it was read.
#[cfg(not(target_os = "linux"))]
pub fn say(title: &str, body: &str) {
    rfd::MessageDialog::new()
        .set_level(rfd::MessageLevel::Error)
        .set_title(title)
        .set_description(body)
        .show();
}
