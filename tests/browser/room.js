// What has too little room on a page. This file is run in it after `page.js`.
'use strict';

Object.assign(window.book, {
    overflow() {
        return [book.beyondEdge, book.beyondBox, book.beyondPicture, book.brokenWords]
            .flatMap(problems => problems());
    },

    // What reaches beyond the right edge and cannot be scrolled to.
    beyondEdge() {
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

    // What is wider than its box, on what follows. (In a timeline, a mark may be wider than its lane.)
    beyondBox() {
        return Array.from(document.querySelectorAll('main :not(svg, svg *, .lanes, .lanes *)'))
            .filter(box => box.scrollWidth > box.clientWidth + 1)
            .filter(box => {
                const { display, overflowX } = getComputedStyle(box);
                return display !== 'inline' && overflowX === 'visible';
            })
            .map(box => `runs out of its box: ${book.name(box)}`);
    },

    // A text that is cut off at the edge of its picture.
    beyondPicture() {
        return Array.from(document.querySelectorAll('main svg text'))
            .filter(text => {
                const drawn = text.getBoundingClientRect();
                const picture = text.ownerSVGElement.getBoundingClientRect();
                return drawn.left < picture.left - 1 || drawn.right > picture.right + 1;
            })
            .map(text => `runs out of its picture: ${book.name(text)}`);
    },

    // A name in a table that goes on in the next line in the middle of a word.
    brokenWords() {
        const broken = (text, word) => {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            return range.getClientRects().length > 1;
        };
        return Array.from(document.querySelectorAll('main td code'))
            .filter(name => name.textContent.includes('_'))
            .filter(name => Array.from(name.childNodes)
                .filter(node => node.nodeType === Node.TEXT_NODE)
                .some(text => Array.from(text.data.matchAll(/[a-z0-9]+_?/g))
                    .some(word => broken(text, word))))
            .map(name => `is broken within a word: ${book.name(name)}`);
    },
});
