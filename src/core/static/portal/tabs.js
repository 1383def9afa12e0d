"use strict";

// Tabs after the pattern of the ARIA guide: one stop of the Tab key, the arrow keys move, and the address has the open one.
(() => {
    for (const list of document.querySelectorAll(".portal-tabs[role=tablist]")) {
        const tabs = [...list.querySelectorAll("[role=tab]")];

        const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
        const named = () => tabs.find((tab) => `#${tab.dataset.tab}` === location.hash);

        function open(chosen) {
            for (const tab of tabs) {
                const isOpen = tab === chosen;
                tab.setAttribute("aria-selected", String(isOpen));
                tab.tabIndex = isOpen ? 0 : -1;
                panelOf(tab).hidden = !isOpen;
            }
            // Within the row alone: the page itself stays where it is.
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
            const tab = named();
            if (tab) open(tab);
        });
        const first = named();
        if (first) open(first);
    }
})();
