// The timelines: steps through what the static page shows as a whole, beside the code. The rows and
// the code are taken out of their folds, so that nothing folds them again; where a figure is not as
// expected, it stays as it is.
'use strict';

(function timelines() {
    const PACE = 1200; // ms for a step, when playing
    const calm = matchMedia('(prefers-reduced-motion: reduce)');

    function create(tag, properties, ...children) {
        const element = Object.assign(document.createElement(tag), properties);
        element.append(...children);
        return element;
    }

    const nameOf = thread => thread === 0 ? 'main' : String(thread - 1);

    // A run, as the static page has it; nothing if a part is missing.
    function read(fold, source) {
        const list = fold.querySelector('.events');
        const heads = fold.querySelector('div.lanes');
        const summary = fold.querySelector('summary');
        const code = source && source.querySelector('pre > code');
        if (!list || !list.children.length || !heads || !summary || !code) {
            return null;
        }
        const names = Array.from(heads.children, head => head.textContent.replace('worker ', ''));
        const cell = (row, thread) =>
            row.querySelectorAll('.lanes > i')[names.indexOf(nameOf(thread))];
        const events = Array.from(list.children, row => {
            // Where no thread can go on, the row is nobody's.
            const thread = row.dataset.thread && Number(row.dataset.thread);
            const said = row.querySelector('.said');
            const own = thread === undefined ? heads : cell(row, thread);
            return said && own && {
                row,
                thread,
                line: Number(row.dataset.line) || 0,
                said: said.textContent,
                state: (row.dataset.state || '').split(';').filter(Boolean)
                    .map(pair => pair.split('=')),
                ask: row.dataset.ask ? row.dataset.ask.split('|') : [],
                over: own.matches('.end'),
                waits: other => cell(row, other).matches('.wait'),
            };
        });
        if (!events.every(Boolean)) {
            return null;
        }
        const pre = code.parentElement;
        const file = source.querySelector('summary').textContent;
        const title = summary.textContent;
        const begin = Number(fold.dataset.begin) || 0;
        return { fold, list, heads, title, events, pre, file, step: begin, seen: begin };
    }

    // Where a pane has to be scrolled to, so that what reaches from `start` to `end` is in view:
    // `low` in it, if that is below what is in view, or in the middle.
    function reveal(pane, start, end, low) {
        const { clientHeight: height, scrollTop: top } = pane;
        const room = Math.min(40, height / 5);
        if (start - room >= top && end + room <= top + height) {
            return top;
        }
        return low && start >= top ? end + room - height : (start + end - height) / 2;
    }

    class ScheduleTimeline extends HTMLElement {
        connectedCallback() {
            if (this.runs) {
                return; // it has only been moved
            }
            let source = null;
            const runs = [];
            for (const child of this.children) {
                if (child.matches('.source')) {
                    source = child;
                } else if (child.matches('.run')) {
                    runs.push(read(child, source));
                }
            }
            if (runs.length > 0 && runs.every(Boolean)) {
                this.runs = runs;
                this.build();
                this.choose(this.linked() || runs[0]);
                window.addEventListener('hashchange', () => {
                    const run = this.linked();
                    if (run) {
                        this.choose(run);
                        run.box.scrollIntoView();
                    }
                });
            }
        }

        disconnectedCallback() {
            this.pause();
        }

        linked() {
            return this.runs.find(({ fold }) => fold.id && '#' + fold.id === location.hash);
        }

        build() {
            const { runs } = this;
            const button = (className, textContent, act) => {
                const made = create('button', { type: 'button', className, textContent });
                made.addEventListener('click', act);
                return made;
            };

            for (const run of runs) {
                run.pane = create('div', { className: 'rows', tabIndex: 0 }, run.list);
                Object.assign(run.pane, { role: 'group', ariaLabel: 'The steps so far' });
                run.box = create('div', { className: 'box', id: run.fold.id },
                    create('p', { textContent: run.title }), run.heads, run.pane);
                run.list.addEventListener('click', ({ target }) => {
                    const row = target.closest('li');
                    const step = run.events.findIndex(event => event.row === row);
                    if (step >= 0 && getSelection().isCollapsed) {
                        this.jump(step);
                    }
                });
                run.pre.querySelector('.buttons')?.remove();
            }

            this.slider = create('input', { type: 'range', min: 1, ariaLabel: 'Step' });
            this.slider.addEventListener('input', () => this.jump(this.slider.value - 1));
            this.back = button('', 'Back', () => this.jump(this.run.step - 1));
            this.next = button('next', 'Next', () => { this.pause(); this.advance(); });
            this.play = button('play', 'Play', () => this.timer ? this.pause() : this.start());
            const again = button('', 'Start again', () => this.restart());
            this.asks = create('input', { type: 'checkbox', checked: true });
            const asks = create('label', {}, this.asks, 'Ask me');

            this.account = create('p');
            this.choices = create('div',
                { className: 'choices', role: 'group', ariaLabel: 'What happens next?' });
            this.state = create('dl');
            this.file = create('p', { className: 'file' });
            this.program = create('div', { className: 'program', tabIndex: 0, role: 'group' });

            this.player = create('div', { className: 'player' });
            if (runs.length > 1) {
                const options = runs.map(run => create('option', { textContent: run.title }));
                this.select = create('select', {}, ...options);
                this.select.addEventListener('change', () => {
                    this.choose(runs[this.select.selectedIndex]);
                });
                this.player.append(
                    create('label', { className: 'choose' }, 'Run', this.select));
            }
            this.player.append(
                create('div', { className: 'runs' }, ...runs.map(run => run.box)),
                create('div', { className: 'controls' },
                    this.back, this.next, this.play, again, this.slider, asks),
                create('div', { className: 'account' }, this.account, this.choices, this.state),
                create('div', { className: 'code-pane' }, this.file, this.program));
            this.replaceChildren(this.player);

            this.addEventListener('keydown', event => {
                const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
                if (!by || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
                    return;
                }
                event.stopPropagation(); // mdBook would turn the page
                if (!event.target.matches('select, [type="range"], .program')) {
                    event.preventDefault();
                    (by < 0 ? this.back : this.next).click();
                }
            });
        }

        // Shows another run, where it was left.
        choose(run) {
            this.run = run;
            this.runs.forEach(other => { other.box.hidden = other !== run; });
            if (this.select) {
                this.select.selectedIndex = this.runs.indexOf(run);
            }
            this.slider.max = run.events.length;
            this.asks.parentElement.hidden = !run.events.some(event => event.ask.length);
            this.file.textContent = run.file;
            this.program.ariaLabel = run.file;
            this.program.replaceChildren(run.pre);
            this.jump(run.step);
        }

        start() {
            if (this.run.step === this.run.events.length - 1) {
                this.restart();
            }
            this.timer = setInterval(() => this.advance(), PACE);
            this.play.textContent = 'Pause';
        }

        pause() {
            clearInterval(this.timer);
            this.timer = null;
            if (this.play) {
                this.play.textContent = 'Play';
            }
        }

        // What was seen is forgotten: the questions come again.
        restart() {
            this.run.seen = 0;
            this.jump(0);
        }

        jump(step) {
            this.pause();
            if (step >= 0) {
                this.show(step);
            }
        }

        // The next step; but before one that was not seen yet, its question. Who does not want to
        // answer goes on in the same way.
        advance() {
            const { events, step, seen } = this.run;
            const next = events[step + 1];
            if (!next) {
                this.pause();
            } else if (next.ask.length && this.asks.checked && step === seen
                && !this.choices.hasChildNodes()) {
                this.pause();
                this.ask(next);
            } else {
                this.show(step + 1);
            }
        }

        ask({ said, ask }) {
            this.account.append(create('strong', { textContent: ' What happens next?' }));
            this.state.replaceChildren(); // it could give the answer away
            for (const choice of [said, ...ask].sort()) {
                const button = create('button', { type: 'button', textContent: choice });
                button.addEventListener('click', () => {
                    this.show(this.run.step + 1, choice === said ? 'Yes. ' : 'No: ');
                    this.next.focus({ preventScroll: true });
                });
                this.choices.append(button);
            }
        }

        show(step, verdict = '') {
            const { run } = this;
            const { events } = run;
            const event = events[step];
            run.step = step;
            run.seen = Math.max(run.seen, step);
            events.forEach(({ row }, index) => {
                row.classList.toggle('later', index > step);
                row.classList.toggle('unseen', index > run.seen);
                row.ariaCurrent = index === step ? 'step' : null;
            });

            const at = `Step ${step + 1} of ${events.length}: `;
            const said = create('span', { textContent: event.said });
            const fault = event.row.matches('.fault, :last-child:has(.panic, .wait)');
            said.classList.toggle('fault', fault);
            // The slider says the sentence by itself.
            this.account.ariaLive = document.activeElement === this.slider ? 'off' : 'polite';
            this.account.replaceChildren(create('span', { className: 'at', textContent: at }),
                create('strong', { textContent: verdict }), said);
            this.choices.replaceChildren();
            this.slider.value = step + 1;
            this.slider.ariaValueText = at + event.said;
            this.back.ariaDisabled = String(step === 0);
            this.next.ariaDisabled = String(step === events.length - 1);

            const before = new Map(step > 0 ? events[step - 1].state : event.state);
            const entry = (name, ...value) =>
                create('div', {}, create('dt', { textContent: name }), ...value);
            this.state.replaceChildren(...event.state.map(([name, value]) => {
                const className = before.get(name) === value ? '' : 'changed';
                return entry(name, create('dd', { className, textContent: value }));
            }));
            if (event.thread === undefined) {
                this.state.append(...this.stuck(events, entry));
            }

            this.mark(events.slice(0, step + 1), event);
            this.scroll(event);
        }

        // Where each thread is that cannot go on: there can be too far between for one look at the code.
        stuck(events, entry) {
            const code = this.run.pre.querySelector('code').textContent.split('\n');
            const lines = new Map(events.map(({ thread, line }) => [thread, line]));
            return [...lines].filter(([thread, line]) => thread !== undefined && line)
                .sort(([one], [other]) => one - other)
                .map(([thread, line]) => entry(`${thread ? 'worker ' : ''}${nameOf(thread)} is at`,
                    create('dd', {}, create('code', { textContent: code[line - 1].trim() }))));
        }

        // Marks the line on which each thread is: that of its latest event, until it is over.
        mark(past, event) {
            const lines = new Map();
            for (const { thread, line, over } of past) {
                lines.set(thread, over ? 0 : line);
            }
            lines.set(event.thread, event.line);
            lines.delete(undefined);
            this.program.querySelectorAll('.mark').forEach(mark => mark.remove());
            const marks = new Map();
            for (const [thread, line] of [...lines].sort(([one], [other]) => one - other)) {
                if (line === 0) {
                    continue;
                }
                if (!marks.has(line)) {
                    const mark = create('div', { className: 'mark' }, create('span'));
                    mark.style.setProperty('--line', line);
                    marks.set(line, mark);
                }
                const mark = marks.get(line);
                const chip = create('b', { textContent: nameOf(thread) });
                chip.classList.toggle('wait', event.waits(thread));
                if (thread === event.thread) {
                    chip.classList.add('acts');
                    mark.classList.add('acts');
                }
                mark.firstChild.append(chip);
            }
            this.run.pre.append(...marks.values());
        }

        scroll({ row, line }) {
            const behavior = calm.matches ? 'auto' : 'smooth';
            const { program, run: { list, pane, pre } } = this;
            const start = row.offsetTop - list.offsetTop;
            pane.scrollTo({ top: reveal(pane, start, start + row.offsetHeight, true), behavior });
            const mark = program.querySelector('.mark.acts');
            if (!mark) {
                return;
            }
            // Sideways: as much of the line as there is room for, but its beginning.
            const code = pre.querySelector('code');
            const { paddingLeft, paddingRight } = getComputedStyle(code);
            const texts = code.textContent.split('\n');
            const text = texts[line - 1] || '';
            const char = (code.scrollWidth - parseFloat(paddingLeft) - parseFloat(paddingRight))
                / Math.max(...texts.map(({ length }) => length));
            const column = count => parseFloat(paddingLeft) + count * char;
            const begin = column(text.search(/\S|$/)) - mark.firstChild.offsetWidth - 8;
            const least = column(text.length) + 8 - program.clientWidth;
            const left = Math.max(0, Math.min(least, begin));
            const top = reveal(program, mark.offsetTop, mark.offsetTop + mark.offsetHeight, false);
            program.scrollTo({ top, left, behavior });
        }
    }

    // Two runs that are the same, side by side. A step has the same number in both; where they have
    // done the same steps, it is said.
    class SameRuns extends HTMLElement {
        connectedCallback() {
            this.lists = Array.from(this.querySelectorAll('.events'),
                list => Array.from(list.children));
            if (this.slider || this.lists.length !== 2) {
                return;
            }
            const button = (className, textContent, by) => {
                const made = create('button', { type: 'button', className, textContent });
                made.addEventListener('click', () => this.show(this.step + by));
                return made;
            };
            this.slider = create('input', { type: 'range', min: 1, ariaLabel: 'Step' });
            this.slider.max = this.lists[0].length;
            this.slider.addEventListener('input', () => this.show(this.slider.value - 1));
            this.back = button('', 'Back', -1);
            this.next = button('next', 'Next', 1);
            this.account = create('p', { ariaLive: 'polite' });
            this.append(create('div', { className: 'player' },
                create('div', { className: 'controls' }, this.back, this.next, this.slider),
                create('div', { className: 'account' }, this.account)));
            this.addEventListener('keydown', event => {
                const by = { ArrowLeft: this.back, ArrowRight: this.next }[event.key];
                if (by && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
                    event.stopPropagation(); // mdBook would turn the page
                    if (event.target !== this.slider) {
                        event.preventDefault();
                        by.click();
                    }
                }
            });
            this.show(0);
        }

        show(step) {
            const last = this.lists[0].length - 1;
            this.step = Math.max(0, Math.min(last, step));
            const done = this.lists.map(rows => {
                rows.forEach((row, index) => {
                    row.classList.toggle('later', index > this.step);
                    row.ariaCurrent = index === this.step ? 'step' : null;
                });
                return rows.slice(0, this.step + 1).map(({ dataset }) => Number(dataset.step));
            });
            const only = (here, there) => done[here].filter(number => !done[there].includes(number));
            const named = numbers => (numbers.length > 1 ? 'steps ' : 'step ') + numbers.join(', ');
            const ahead = only(0, 1);
            const compared = ahead.length
                ? `Only the first run has done ${named(ahead)}, only the second ${named(only(1, 0))}.`
                : 'Both runs have done the same steps, and are in the same state.';
            this.account.replaceChildren(
                create('span', { className: 'at', textContent: `After ${this.step + 1} of ${last + 1} steps: ` }),
                compared);
            this.slider.value = this.step + 1;
            this.slider.ariaValueText = this.account.textContent;
            this.back.ariaDisabled = String(this.step === 0);
            this.next.ariaDisabled = String(this.step === last);
        }
    }

    customElements.define('schedule-timeline', ScheduleTimeline);
    customElements.define('same-runs', SameRuns);
})();
