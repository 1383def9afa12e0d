"use strict";

// Tabs by the ARIA pattern: one tab stop, arrow keys move, and the fragment of the URL names the open tab.
(() => {
    for (const list of document.querySelectorAll(".portal-tabs[role=tablist]")) {
        const tabs = [...list.querySelectorAll("[role=tab]")];

        const getPanel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
        const findTabOfUrl = () => tabs.find((tab) => `#${tab.dataset.tab}` === location.hash);

        function open(chosen) {
            for (const tab of tabs) {
                const isOpen = tab === chosen;
                tab.setAttribute("aria-selected", String(isOpen));
                tab.tabIndex = isOpen ? 0 : -1;
                getPanel(tab).hidden = !isOpen;
            }
            // Scrolls the row of tabs only, not the page.
            const [row, place] = [list.getBoundingClientRect(), chosen.getBoundingClientRect()];
            if (place.left < row.left) list.scrollLeft -= row.left - place.left;
            if (place.right > row.right) list.scrollLeft += place.right - row.right;
        }

        function choose(tab) {
            open(tab);
            history.replaceState(history.state, "", `#${tab.dataset.tab}`);
        }

        list.addEventListener("click", (event) => {
            const tab = event.target.closest("[role=tab]");
            if (tab) choose(tab);
        });

        list.addEventListener("keydown", (event) => {
            if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
            const at = tabs.indexOf(event.target.closest("[role=tab]"));
            const next = {
                ArrowRight: (at + 1) % tabs.length,
                ArrowLeft: (at - 1 + tabs.length) % tabs.length,
                Home: 0,
                End: tabs.length - 1,
            }[event.key];
            if (at < 0 || next === undefined) return;
            event.preventDefault();
            tabs[next].focus();
            choose(tabs[next]);
        });

        addEventListener("hashchange", () => {
            const tab = findTabOfUrl();
            if (tab) open(tab);
        });
        const first = findTabOfUrl();
        if (first) open(first);
    }
})();
