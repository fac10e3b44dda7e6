// What the tests ask of a page; `room.js` has more. This file is run in it before its own scripts.
'use strict';

// What the pages before have left in this browser.
if (['http:', 'file:'].includes(location.protocol)) {
    localStorage.clear();
    sessionStorage.clear();
}

// Nothing is looked at while it still moves. And axe-core says nothing of a text's color on a
// gradient, as there is at the edges of a wide table.
document.addEventListener('DOMContentLoaded', () => {
    const still = document.createElement('style');
    still.textContent = '*, ::before { transition: none !important; } '
        + '.table-wrapper { background-image: none !important; }';
    document.head.append(still);
});

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

    // What the table of contents has of other pages is the same on each, and inspected on one. Of its
    // own, a page has its headings there.
    withoutOthersContents() {
        const entries = Array.from(document.querySelectorAll('#mdbook-sidebar ol.chapter > li'));
        const others = entries.filter(entry => !entry.querySelector('.active'));
        const own = document.title.startsWith('Page not found') ? 0 : 1;
        if (entries.length === 0 || others.length !== entries.length - own) {
            throw new Error(`${others.length} of ${entries.length} entries of the contents are of others`);
        }
        others.forEach(entry => entry.remove());
    },

    name(element) {
        const text = element.getAttribute('aria-label') || element.textContent;
        return element.outerHTML.match(/^<[^>]*>/)[0].slice(0, 160)
            + text.trim().replace(/\s+/g, ' ').slice(0, 40);
    },

    // Does something while the elements are not in the text: axe-core takes its time over each.
    async without(elements, act) {
        const places = Array.from(elements, element => [element, document.createComment('')]);
        book.apart(() => places.forEach(([element, place]) => element.replaceWith(place)));
        try {
            return await act();
        } finally {
            places.reverse();
            book.apart(() => places.forEach(([element, place]) => place.replaceWith(element)));
        }
    },

    // Changes much of the text at once: where the browser does not see it, that is quicker.
    apart(change) {
        const text = document.querySelector('main');
        const place = document.createComment('');
        text.replaceWith(place);
        change();
        place.replaceWith(text);
    },

    // Does something while nothing is in the text but these elements, and what they are in.
    only(elements, act) {
        const others = [];
        const keep = element => {
            const start = others.length;
            let kept = elements.has(element);
            for (const child of element.children) {
                kept = keep(child) || kept;
            }
            if (!kept) {
                others.splice(start, Infinity, element);
            }
            return kept;
        };
        const text = document.querySelector('main');
        Array.from(text.children).forEach(keep);
        return book.without(others, act);
    },

    // The same, for the elements that only color the code: a text takes their place.
    async uncolored(act) {
        const colors = element => element.matches('span')
            && Array.from(element.attributes).every(({ name }) => name === 'class');
        const codes = Array.from(document.querySelectorAll('main code:has(*)'))
            .filter(code => Array.from(code.querySelectorAll('*')).every(colors))
            .map(code => [code, book.shownText(code), Array.from(code.childNodes)]);
        codes.forEach(([code, text]) => code.replaceChildren(text));
        try {
            return await act();
        } finally {
            codes.forEach(([code, , nodes]) => code.replaceChildren(...nodes));
        }
    },

    // The text of a code, without lines that are hidden. (`innerText` takes longer than all that is
    // asked of it.)
    shownText(code) {
        return code.matches('.hide-boring') ? book.withoutBoring(code).textContent : code.textContent;
    },

    // A copy of a code, without the lines that can be hidden.
    withoutBoring(code) {
        const copy = code.cloneNode(true);
        copy.querySelectorAll('.boring').forEach(line => line.remove());
        return copy;
    },

    // What axe-core has to say against what can be seen of the page, one line for each element. Its
    // rules on colors take much longer than all others, and are run by `colors`.
    axe(options = { rules: { ...book.colorRules(false), 'target-size': { enabled: true } } }) {
        return book.without(book.folded(), () => book.uncolored(async () => {
            await book.settled();
            return book.inspect(options);
        }));
    },

    async inspect(options, elements = [document]) {
        const { violations } = await axe.run({ include: elements }, {
            resultTypes: ['violations'], // quicker
            preload: false, // the style sheets once more, which a page from a file may not ask for
            ...options,
        });
        return violations.flatMap(({ id, help, nodes }) => nodes.map(node => {
            const why = node.any.concat(node.all, node.none).map(check => check.message);
            return `${id}: ${help}: ${node.target.join(' ')}: ${why.join('; ')}`;
        }));
    },

    // What is folded away.
    folded() {
        return document.querySelectorAll('main details:not([open]) > :not(summary)');
    },

    // Until what has just changed has been laid out, and the page has seen it.
    async settled() {
        await book.styled();
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    },

    // Until a theme that was chosen decides how all looks: it enables style sheets, which are read
    // again for that.
    async styled() {
        const sheets = Array.from(document.querySelectorAll('link[rel~="stylesheet"]'));
        while (sheets.some(link => !link.disabled && !link.sheet)) {
            await new Promise(done => setTimeout(done, 1));
        }
    },

    // The rules on colors, enabled or not, but for the one of level AAA, which axe leaves out.
    colorRules(enabled) {
        return Object.fromEntries(axe.getRules(['cat.color'])
            .filter(({ ruleId }) => ruleId !== 'color-contrast-enhanced')
            .map(({ ruleId }) => [ruleId, { enabled }]));
    },

    // Chooses a theme.
    theme(theme) {
        document.getElementById(`mdbook-theme-${theme}`).click();
        if (!document.documentElement.classList.contains(theme)) {
            throw new Error(`the theme ${theme} is not shown`);
        }
    },

    // The same as `axe`, for the rules on colors alone, in each theme that `known` names. Of the
    // elements of one kind, one is looked at, and none if the kind is among those that are known in
    // this theme. Returns the problems, each after its theme, and the kinds that are new, by theme.
    colors(known) {
        const fresh = {};
        const problems = [];
        const needed = new Set();
        const themes = Object.keys(known);
        const look = different => async () => {
            for (const theme of themes) {
                book.theme(theme);
                await book.styled();
                const kinds = new Set(known[theme]);
                const found = [];
                const spans = new Map(); // those in code of one kind are alike, too
                for (const [element, above, weight, key] of different) {
                    const within = above === null ? 0 : found[above];
                    const alike = key && `${within} ${key}`;
                    const looks = spans.get(alike) ?? book.kind(element, within, weight);
                    if (alike) {
                        spans.set(alike, looks);
                    }
                    found.push(looks.within);
                    if (!kinds.has(looks.kind)) {
                        kinds.add(looks.kind);
                        // Of what has no text of its own, axe-core says nothing.
                        if (weight === true || element.matches('a, input, select, textarea')) {
                            needed.add(element);
                        }
                    }
                }
                fresh[theme] = Array.from(kinds).slice(known[theme].length);
            }
        };
        const inspect = async () => {
            const runOnly = Object.keys(book.colorRules(true));
            for (const theme of themes) {
                book.theme(theme);
                await book.settled();
                const found = await book.inspect({ runOnly }, Array.from(needed));
                problems.push(...found.map(problem => `${theme}: ${problem}`));
            }
        };
        return book.without(book.folded(), async () => {
            const different = book.different();
            await book.only(new Set(different.map(([element]) => element)), look(different));
            if (needed.size > 0) {
                await book.only(needed, inspect);
            }
            return [problems, fresh];
        });
    },

    // All elements, each with the number of the one that it is in, the weight of its text, and for a
    // span that colors code, its class and the weight: of those that are in the same and have the same,
    // only one.
    different() {
        const different = [];
        const spans = new Map();
        const look = (element, above) => {
            let number = different.length;
            const weight = book.weight(element);
            const key = element.matches('code span') && `${element.className} ${weight}`;
            if (key) {
                number = spans.get(`${above} ${key}`) ?? number;
                spans.set(`${above} ${key}`, number);
            }
            if (number === different.length) {
                different.push([element, above, weight, key]);
            }
            for (const child of element.children) {
                look(child, number);
            }
        };
        look(document.documentElement, null);
        return different;
    },

    // How much of its own text counts: as axe-core sees it, a single letter or sign does not.
    weight(element) {
        const own = Array.from(element.childNodes).filter(node => node.nodeType === Node.TEXT_NODE);
        return book.textWeight(own.map(text => text.textContent.trim()).join(''));
    },

    textWeight(text) {
        return text.length < 2 ? text.length : /[\p{L}\p{N}]/u.test(text);
    },

    // The kind of an element: a number for all that decides what axe-core says of its colors, which is
    // how it looks, whether it has text that counts, and `within`, the kind of what is seen behind it. And
    // what is seen behind what is in it: the element, or if it has nothing to be seen, what it is in.
    kind(element, within, weight) {
        const style = getComputedStyle(element);
        const text = node => node.textContent.trim();
        const state = [element.disabled, element.ariaDisabled, element.ariaHidden];
        const looks = book.looks.map(property => style[property]);
        const description = [within, element.tagName, weight, ...state, ...looks];
        if (element.matches('a')) {
            // It has to differ from the text around it, where there is some.
            const around = element.parentElement.closest('p, li, dd, dt, td, th, summary, '
                + 'figcaption, h1, h2, h3, h4, h5, h6, nav, div, body');
            const links = Array.from(around.querySelectorAll('a'), text).join('').length;
            const aroundStyle = getComputedStyle(around);
            description.push(
                book.textWeight(text(around).slice(links)),
                ...book.looks.map(property => aroundStyle[property]),
            );
        }
        // A hash of 53 bits: cyrb53, by bryc, in the public domain.
        let [high, low] = [0xdeadbeef, 0x41c6ce57];
        for (const character of description.join('\n')) {
            const code = character.codePointAt(0);
            high = Math.imul(high ^ code, 2654435761);
            low = Math.imul(low ^ code, 1597334677);
        }
        high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
        low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
        const kind = 4294967296 * (2097151 & low) + (high >>> 0);
        const nothing = style.display !== 'none' && !state.some(Boolean)
            && Object.entries(book.nothing).every(([property, value]) => style[property] === value);
        return { kind, within: nothing ? within : kind };
    },

    // An element of which nothing is seen but what is in it.
    nothing: {
        position: 'static', zIndex: 'auto', overflowX: 'visible', overflowY: 'visible',
        backgroundColor: 'rgba(0, 0, 0, 0)', backgroundImage: 'none', opacity: '1', filter: 'none',
        mixBlendMode: 'normal',
    },

    looks: [
        'display', 'visibility', 'position', 'zIndex', 'color', 'backgroundColor', 'backgroundImage',
        'opacity', 'filter', 'mixBlendMode', 'textShadow', 'fontSize', 'fontWeight', 'fontStyle',
        'textDecorationLine', 'borderBottomWidth', 'borderBottomStyle',
    ],

    // The same as `axe`, for the rules whose answer can change with the width of the page.
    narrow() {
        return book.axe({ runOnly: ['scrollable-region-focusable', 'target-size'] });
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
            if (book.isSeen(target)) {
                book.seen.add(target);
            }
        });
        document.activeElement.blur();
        return book.stops().length;
    },

    isSeen(element) {
        let opacity = 1;
        for (let above = element; above; above = above.parentElement) {
            opacity *= getComputedStyle(above).opacity;
        }
        return opacity === 1 && getComputedStyle(element).outlineStyle !== 'none';
    },

    async focusProblems() {
        const missed = book.stops().filter(element => !book.reached.has(element));
        const unseen = [];
        for (const element of Array.from(book.reached).filter(element => !book.seen.has(element))) {
            // Where the focus comes back from behind the last element, the event can come before the
            // style. So it is looked at again, when the page has been laid out with it.
            element.focus({ focusVisible: true });
            await book.settled();
            if (!book.isSeen(element)) {
                unseen.push(element);
            }
        }
        return missed.map(element => `the Tab key does not reach ${book.name(element)}`)
            .concat(unseen.map(element => `is not seen when it has the focus: ${book.name(element)}`));
    },

    // Every button that copies, and the text that it has to copy; of a script, all of its blocks.
    copies() {
        book.buttons = Array.from(document.querySelectorAll('main .clip-button, main .paste > button'));
        return book.buttons.map(button => {
            if (!button.closest('pre')) {
                const blocks = button.parentElement.querySelectorAll('pre > code');
                return Array.from(blocks, code => code.textContent).join('');
            }
            const code = book.withoutBoring(button.closest('pre').querySelector('code'));
            const lines = code.textContent.split(/(?<=\n)/);
            return code.querySelector('.prompt') === null
                ? code.textContent
                : lines.filter(line => line.startsWith('$ ')).map(line => line.slice(2)).join('');
        });
    },

    // Presses the buttons from this one on, and compares what each copies with what it has to. A page
    // may copy for a few seconds after its reader has asked for it, and on a busy machine that is not
    // long enough for all buttons: returns which is the next, and what was wrong.
    copyProblems(from, expected) {
        const end = performance.now() + 1000;
        const problems = [];
        let next = from;
        do {
            const button = book.buttons[next];
            let copied = 'nothing';
            const note = ({ clipboardData }) => {
                const { activeElement: field } = document;
                copied = clipboardData.getData('text/plain')
                    || field.value.slice(field.selectionStart, field.selectionEnd);
            };
            window.addEventListener('copy', note); // after the page itself
            button.click();
            window.removeEventListener('copy', note);
            if (copied !== expected[next]) {
                problems.push(`${book.name(button)} copies\n${copied}\ninstead of\n${expected[next]}`);
            }
            next += 1;
        } while (next < book.buttons.length && performance.now() < end);
        return [next, problems];
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
            const [back, next, , again] = player.querySelectorAll('.controls button');
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
                again.click(); // some open further down
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

    // Steps through runs that are the same, side by side: the account says so where each thread has
    // done the same in both, and only there. In the end it has.
    sameRunsProblems() {
        const problems = [];
        const said = rows => rows.map(row => row.querySelector('.said').textContent).sort().join();
        for (const figure of document.querySelectorAll('same-runs')) {
            const lists = Array.from(figure.querySelectorAll('.events'),
                list => Array.from(list.children));
            const [, next] = figure.querySelectorAll('.controls button');
            const seen = lists[0].map((_, step) => {
                const now = figure.querySelectorAll('[aria-current]');
                if (now.length !== 2 || lists.some((rows, index) => rows[step] !== now[index])) {
                    problems.push(`marks ${now.length} rows, not those of step ${step + 1}`);
                }
                const [one, other] = lists.map(rows => said(rows.slice(0, step + 1)));
                const account = figure.querySelector('.account').textContent;
                if (account.includes('Both runs have done the same') !== (one === other)) {
                    problems.push(`says of ${one} and ${other}: ${account}`);
                }
                next.click();
                return one === other;
            });
            if (!seen.includes(false) || !seen.pop()) {
                problems.push('two runs that do not part, or do not meet again');
            }
        }
        return problems.length || document.querySelector('same-runs .player')
            ? problems : ['no two runs can be stepped through side by side'];
    },

    // On paper, every step of every run is there, and the code is not.
    timelinesOnPaper() {
        const shown = element => element.getBoundingClientRect().height > 0;
        return Array.from(document.querySelectorAll('.timeline li, .player .program'))
            .filter(element => element.matches('li') !== shown(element))
            .map(element => `on paper: ${book.name(element)}`);
    },

    // What is folded away and would be missing on paper.
    missingOnPaper() {
        return Array.from(document.querySelectorAll('main details'))
            .flatMap(details => Array.from(details.children))
            .filter(child => !child.matches('noscript') && !child.checkVisibility())
            .map(child => `is missing on paper: ${book.name(child)}`);
    },
};
