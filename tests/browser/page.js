// What tests/browser.rs asks of a page; this file is run in it first.
'use strict';

// Nothing is looked at while it still moves.
const still = document.createElement('style');
still.textContent = '*, ::before { transition: none !important; }';
document.head.append(still);

window.book = {
    // Folds or unfolds what can be folded, hidden lines of code included. The files in the box of a
    // step are many, and shown alike on each page: they stay folded where they are not asked for.
    fold(folded, stepsToo) {
        document.querySelectorAll('main details').forEach(details => {
            details.open = !folded && (stepsToo || !details.closest('.step'));
        });
        document.querySelectorAll('main code').forEach(code => {
            if (code.querySelector('.boring')) {
                code.classList.toggle('hide-boring', folded);
            }
        });
    },

    name(element) {
        const text = element.getAttribute('aria-label') || element.textContent;
        return element.outerHTML.match(/^<[^>]*>/)[0].slice(0, 160)
            + text.trim().replace(/\s+/g, ' ').slice(0, 40);
    },

    // Does something while the elements are not in the page: axe-core takes its time over each.
    async without(elements, act) {
        const places = Array.from(elements, element => {
            const place = document.createComment('');
            element.replaceWith(place);
            return () => place.replaceWith(element);
        });
        try {
            return await act();
        } finally {
            places.reverse().forEach(restore => restore());
        }
    },

    // What axe-core has to say against what can be seen of the page, one line for each element.
    axe(options = {}) {
        const folded = document.querySelectorAll('main details:not([open]) > :not(summary)');
        return book.without(folded, async () => {
            // Until what has just changed has been laid out, and the page has seen it.
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            const { violations } = await axe.run({
                resultTypes: ['violations'], // quicker
                preload: false, // the style sheets once more, which a page from a file may not ask for
                rules: { 'target-size': { enabled: true } },
                ...options,
            });
            return violations.flatMap(({ id, help, nodes }) => nodes.map(node => {
                const why = node.any.concat(node.all, node.none).map(check => check.message);
                return `${id}: ${help}: ${node.target.join(' ')}: ${why.join('; ')}`;
            }));
        });
    },

    // The same, for the rules that are about colors alone. Of elements that look alike, since their
    // tags and classes are the same, up to the root, one is kept for that.
    colors() {
        const known = new Set();
        const alike = [];
        const look = (element, above) => {
            const kind = `${above} ${element.tagName}.${element.className}`;
            const start = alike.length;
            const same = Array.from(element.children, child => look(child, kind)).every(Boolean)
                && known.has(kind);
            known.add(kind);
            if (same) {
                alike.splice(start, Infinity, element); // with all that is in it
            }
            return same;
        };
        look(document.querySelector('main'), '');
        const rules = axe.getRules(['cat.color']).map(({ ruleId }) => ruleId)
            .filter(rule => rule !== 'color-contrast-enhanced'); // level AAA, which axe leaves out
        return book.without(alike, () => book.axe({ runOnly: rules }));
    },

    // The same, for the rules whose answer can change with the width of the page.
    narrow() {
        return book.axe({ runOnly: ['scrollable-region-focusable', 'target-size'] });
    },

    // What reaches beyond the right edge and cannot be scrolled to.
    overflow() {
        const scrolls = element => ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
        const wide = [];
        for (const element of document.querySelectorAll('main, main *')) {
            if (element.getBoundingClientRect().right <= innerWidth + 1) {
                continue;
            }
            let above = element.parentElement;
            while (above && above.matches('main *') && !scrolls(above)) {
                above = above.parentElement;
            }
            if (!above || !above.matches('main *')) {
                wide.push(book.name(element));
            }
        }
        if (document.documentElement.scrollWidth > innerWidth) {
            wide.push('the page scrolls sideways');
        }
        return wide;
    },

    // What the keyboard has to reach.
    stops() {
        const all = 'a[href], button, summary, input, [tabindex="0"], [role="button"]';
        return Array.from(document.querySelectorAll(all)).filter(element =>
            element.checkVisibility({ visibilityProperty: true })
            && element.closest('[aria-hidden="true"]') === null);
    },

    // From now on, notes what gets the focus and whether that can be seen.
    watchFocus() {
        book.reached = new Set();
        book.seen = new Set();
        document.addEventListener('focusin', ({ target }) => {
            book.reached.add(target);
            let opacity = 1;
            for (let above = target; above; above = above.parentElement) {
                opacity *= getComputedStyle(above).opacity;
            }
            // Once is enough: where the focus comes back from behind the last element, the event
            // can come before the style.
            if (opacity === 1 && getComputedStyle(target).outlineStyle !== 'none') {
                book.seen.add(target);
            }
        });
        document.activeElement.blur();
        return book.stops().length;
    },

    focusProblems() {
        const missed = book.stops().filter(element => !book.reached.has(element));
        const unseen = Array.from(book.reached).filter(element => !book.seen.has(element));
        return missed.map(element => `the Tab key does not reach ${book.name(element)}`)
            .concat(unseen.map(element => `is not seen when it has the focus: ${book.name(element)}`));
    },

    // Every button that copies, and the text that it has to copy.
    copies() {
        book.buttons = Array.from(document.querySelectorAll('main .clip-button, main .paste > button'));
        return book.buttons.map(button => {
            const code = button.closest('pre, .paste').querySelector('code').cloneNode(true);
            if (button.closest('pre')) {
                code.querySelectorAll('.boring').forEach(hidden => hidden.remove());
            }
            const lines = code.textContent.split(/(?<=\n)/);
            return code.querySelector('.prompt') === null
                ? code.textContent
                : lines.filter(line => line.startsWith('$ ')).map(line => line.slice(2)).join('');
        });
    },

    // Presses every button, and compares what it copies with what it has to.
    copyProblems() {
        document.querySelectorAll('main details').forEach(details => { details.open = true; });
        const expected = book.copies();
        return book.buttons.flatMap((button, index) => {
            let copied = 'nothing';
            const note = () => {
                const { activeElement: field } = document;
                copied = field.value.slice(field.selectionStart, field.selectionEnd);
            };
            document.addEventListener('copy', note);
            button.click();
            document.removeEventListener('copy', note);
            return copied === expected[index]
                ? []
                : [`${book.name(button)} copies\n${copied}\ninstead of\n${expected[index]}`];
        });
    },

    // An empty field, to paste into.
    field() {
        let field = document.getElementById('pasted');
        if (!field) {
            field = document.createElement('textarea');
            field.id = 'pasted';
            document.body.append(field);
        }
        field.value = '';
        field.focus({ preventScroll: true });
    },

    pasted() {
        return document.getElementById('pasted').value;
    },

    // Steps through every run of every timeline, there and back. The account says what the row says,
    // the band lies on the row's line, and what comes later is not shown.
    timelineProblems() {
        const problems = [];
        for (const player of document.querySelectorAll('schedule-timeline')) {
            const [back, next] = player.querySelectorAll('.controls button');
            const select = player.querySelector('select');
            const runs = select ? Array.from(select.options) : [null];
            const code = () => player.querySelector('.program code').textContent.split('\n');
            player.querySelectorAll('[type="checkbox"]').forEach(box => { box.checked = false; });
            runs.forEach((option, index) => {
                if (option) {
                    select.selectedIndex = index;
                    select.dispatchEvent(new Event('change'));
                }
                const rows = Array.from(player.querySelectorAll('.box:not([hidden]) li'));
                const look = (step, later) => {
                    const row = rows[step];
                    const said = `Step ${step + 1} of ${rows.length}: `
                        + row.querySelector('.said').textContent;
                    const found = player.querySelector('.account p').textContent;
                    if (found !== said) {
                        problems.push(`says ${found} instead of ${said}`);
                    }
                    const mark = player.querySelector('.mark.acts');
                    const line = mark ? mark.style.getPropertyValue('--line') : '';
                    if (line !== (row.dataset.line || '')) {
                        problems.push(`${said}: marks line ${line}`);
                    } else if (mark && !code()[line - 1].trim()) {
                        problems.push(`${said}: line ${line} of the code is empty`);
                    }
                    if (later && rows[step + 1] && rows[step + 1].checkVisibility()) {
                        problems.push(`${said}: shows already what comes next`);
                    }
                };
                look(0, true);
                for (let step = 1; step < rows.length; step += 1) {
                    next.click();
                    look(step, true);
                }
                next.click(); // there is no more
                look(rows.length - 1, true);
                back.click();
                look(rows.length - 2, false);
                rows[0].click();
                look(0, false);
            });
        }
        return problems.length || document.querySelector('.player')
            ? problems : ['no timeline can be stepped through'];
    },

    // On paper, every step of every run is there, and the code is not.
    timelinesOnPaper() {
        const shown = element => element.getBoundingClientRect().height > 0;
        return Array.from(document.querySelectorAll('.timeline li, .player .program'))
            .filter(element => element.matches('li') !== shown(element))
            .map(element => `on paper: ${book.name(element)}`);
    },

    // What is folded away and would be missing on paper, but for the scripts to paste.
    missingOnPaper() {
        return Array.from(document.querySelectorAll('main details'))
            .filter(details => !details.closest('.paste'))
            .flatMap(details => Array.from(details.children))
            .filter(child => !child.checkVisibility())
            .map(child => `is missing on paper: ${book.name(child)}`);
    },
};
