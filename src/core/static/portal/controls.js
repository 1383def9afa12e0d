"use strict";

// What unfold draws as a span, or as a link that leads nowhere, and Alpine makes clickable: within reach of the keyboard,
// and a button for who hears it. The words that its icons are made of are for the eye alone.
(() => {
    const ICON = ".material-symbols-outlined";
    const CLICKABLE = "[x-on\\:click]";
    const NATIVE = "a[href], button, input, select, textarea, summary, label";

    // Of what has none: an icon alone, and two that scroll.
    const NAMES = {
        "#nav-sidebar-apps .simplebar-content-wrapper": "Navigation",
        "#searchbar-submit": "Search",
        "[x-on\\:click='openTheme = !openTheme']": "Colours",
    };

    const all = (root, selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];

    function mend(root) {
        for (const icon of all(root, ICON)) {
            if (!icon.matches(`${CLICKABLE}, ${NATIVE}`)) icon.setAttribute("aria-hidden", "true");
        }
        for (const control of all(root, CLICKABLE)) {
            // A veil, which is clicked to leave what is before it, has nothing in it; around others there are others.
            const isVeil = !control.matches(ICON) && !control.textContent.trim();
            if (control.matches(NATIVE) || control.querySelector(NATIVE) || isVeil) continue;
            control.setAttribute("role", "button");
            control.setAttribute("tabindex", "0");
            if (control.title) control.setAttribute("aria-label", control.title);
        }
        // Django's own help beside its boxes of choices.
        for (const help of all(root, "span.help-tooltip[aria-label]")) help.setAttribute("role", "img");
        for (const [selector, name] of Object.entries(NAMES)) {
            for (const control of all(root, selector)) control.setAttribute("aria-label", name);
        }
    }

    function press(event) {
        if (event.key !== "Enter" && event.key !== " ") return;
        if (!event.target.matches?.(`${CLICKABLE}[role=button]`)) return;
        event.preventDefault();
        event.target.click();
    }

    document.addEventListener("DOMContentLoaded", () => {
        mend(document.body);
        document.addEventListener("keydown", press);
        new MutationObserver((changes) => {
            for (const {addedNodes} of changes) {
                for (const node of addedNodes) if (node instanceof Element) mend(node);
            }
        }).observe(document.body, {childList: true, subtree: true});
    });
})();
