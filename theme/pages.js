// What the pages can do beyond mdBook's own script, after which this one runs.
'use strict';

(function copying() {
    // Of a terminal, what was typed is copied: no prompt, and no output.
    const everything = window.playground_text;
    window.playground_text = (pre, hidden) => {
        if (!pre.classList.contains('terminal')) {
            return everything(pre, hidden);
        }
        const typed = pre.querySelectorAll('.prompt + kbd');
        return Array.from(typed, command => command.textContent + '\n').join('');
    };

    for (const button of document.querySelectorAll('.clip-button')) {
        const pre = button.closest('pre');
        const nothing = pre.matches('.terminal') && !pre.querySelector('.prompt');
        if (nothing || pre.matches('.shell')) {
            const row = button.parentElement;
            button.remove();
            if (!row.hasChildNodes()) {
                row.remove(); // fingers would see an empty one
            }
            continue;
        }
        button.firstChild.setAttribute('role', 'status'); // "Copied!" is said, too
    }

    // The script of a step is all of its blocks, and is copied without unfolding it.
    for (const paste of document.querySelectorAll('.paste')) {
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = 'Copy the script';
        button.setAttribute('aria-live', 'polite');
        paste.prepend(button);
        const blocks = Array.from(paste.querySelectorAll('pre > code'));
        const script = blocks.map(code => code.textContent).join('');
        // A field with all of it would have to be laid out first. So a field with little is copied, and
        // the script put in its place.
        const replace = event => {
            event.clipboardData.setData('text/plain', script);
            event.preventDefault();
        };
        const text = () => {
            document.addEventListener('copy', replace, { once: true });
            return button.textContent;
        };
        const clipboard = new ClipboardJS(button, { text });
        clipboard.on('error', () => document.removeEventListener('copy', replace));
        clipboard.on('success', () => {
            button.textContent = 'Copied!';
            setTimeout(() => { button.textContent = 'Copy the script'; }, 2000);
        });
    }

    // A program that is complete on the page can be opened where it can be changed and run.
    for (const code of document.querySelectorAll('pre > code.language-rust')) {
        const complete = code.className === 'language-rust hljs' && !code.closest('.step, .timeline');
        const buttons = code.parentElement.querySelector('.buttons');
        if (complete && buttons) {
            const link = document.createElement('a');
            link.href = 'https://play.rust-lang.org/?version=stable&edition=2021&code='
                + encodeURIComponent(code.textContent);
            link.textContent = 'Playground';
            link.title = 'Open this program in the Rust Playground, on play.rust-lang.org';
            link.rel = 'noreferrer';
            buttons.prepend(link);
        }
    }
})();

(function keyboardAndScreenReader() {
    const skip = document.createElement('a');
    skip.className = 'skip';
    skip.href = `${location.href.split('#')[0]}#mdbook-content`; // 404.html has another base
    skip.textContent = 'Skip to the text';
    document.getElementById('mdbook-content').tabIndex = -1;
    document.body.prepend(skip);

    document.getElementById('mdbook-menu-bar').setAttribute('role', 'banner');

    // What moves the table of contents is a label, which the keyboard does not reach.
    const label = document.getElementById('mdbook-sidebar-toggle');
    const checkbox = document.getElementById('mdbook-sidebar-toggle-anchor');
    const toggle = document.createElement('button');
    toggle.id = 'sidebar-toggle';
    toggle.type = 'button';
    toggle.className = label.className;
    toggle.title = label.title;
    toggle.setAttribute('aria-label', label.title);
    toggle.setAttribute('aria-controls', 'mdbook-sidebar');
    toggle.innerHTML = label.innerHTML;
    toggle.addEventListener('click', () => label.click());
    const tell = () => toggle.setAttribute('aria-expanded', checkbox.checked);
    checkbox.addEventListener('change', tell);
    tell();
    label.hidden = true;
    label.before(toggle);

    const search = document.getElementById('mdbook-search-wrapper');
    if (search) {
        search.setAttribute('role', 'search');
        const field = document.getElementById('mdbook-searchbar');
        field.setAttribute('aria-label', 'Search this book');
        field.setAttribute('aria-describedby', 'mdbook-searchresults-header');
    }

    // What scrolls sideways can be reached, to scroll it with the arrow keys.
    const scrolls = new ResizeObserver(entries => {
        for (const { target } of entries) {
            if (target.scrollWidth > target.clientWidth) {
                target.tabIndex = 0;
            } else {
                target.removeAttribute('tabindex');
            }
        }
    });
    for (const wide of document.querySelectorAll('main pre > code, main .table-wrapper')) {
        scrolls.observe(wide);
    }
})();

(function longNames() {
    // In a table, where there is little room, a name is broken between its words.
    for (const name of document.querySelectorAll('main td code')) {
        if (!name.firstElementChild) {
            name.innerHTML = name.innerHTML.replaceAll('_', '_<wbr>');
        }
    }
})();

(function printing() {
    // On paper nothing can be unfolded.
    let folded = [];
    window.addEventListener('beforeprint', () => {
        folded = Array.from(document.querySelectorAll('main details:not([open])'));
        folded.forEach(details => { details.open = true; });
    });
    window.addEventListener('afterprint', () => {
        folded.forEach(details => { details.open = false; });
    });
})();
