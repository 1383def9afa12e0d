"use strict";

// Makes unfold's clickable elements accessible: those that are no native controls get a role and a tab stop, and the
// ligatures of icons are hidden from screen readers.
(() => {
    const ICON = ".material-symbols-outlined";
    const CLICKABLE = "[x-on\\:click]";
    const NATIVE = "a[href], button, input, select, textarea, summary, label";

    // Labels of controls without a text.
    const NAMES = {
        "#nav-sidebar-apps .simplebar-content-wrapper": "Navigation",
        "#searchbar-submit": "Search",
        "[x-on\\:click='openTheme = !openTheme']": "Colours",
    };

    const queryAll = (root, selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];

    function enhance(root) {
        for (const icon of queryAll(root, ICON)) {
            if (!icon.matches(`${CLICKABLE}, ${NATIVE}`)) icon.setAttribute("aria-hidden", "true");
        }
        for (const control of queryAll(root, CLICKABLE)) {
            // Empty elements are backdrops, and others are containers of controls.
            const isBackdrop = !control.matches(ICON) && !control.textContent.trim();
            if (control.matches(NATIVE) || control.querySelector(NATIVE) || isBackdrop) continue;
            control.setAttribute("role", "button");
            control.setAttribute("tabindex", "0");
            if (control.title) control.setAttribute("aria-label", control.title);
        }
        // Django's help icon beside its select boxes.
        for (const help of queryAll(root, "span.help-tooltip[aria-label]")) help.setAttribute("role", "img");
        for (const [selector, name] of Object.entries(NAMES)) {
            for (const control of queryAll(root, selector)) control.setAttribute("aria-label", name);
        }
    }

    function clickByKey(event) {
        if (event.key !== "Enter" && event.key !== " ") return;
        if (!event.target.matches?.(`${CLICKABLE}[role=button]`)) return;
        event.preventDefault();
        event.target.click();
    }

    document.addEventListener("DOMContentLoaded", () => {
        enhance(document.body);
        document.addEventListener("keydown", clickByKey);
        new MutationObserver((changes) => {
            for (const {addedNodes} of changes) {
                for (const node of addedNodes) if (node instanceof Element) enhance(node);
            }
        }).observe(document.body, {childList: true, subtree: true});
    });
})();
