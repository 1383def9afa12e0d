"use strict";

// Single-key shortcuts. An element with `data-shortcut="a"` is clicked by that key; `data-shortcut-label` (or its text)
// describes it in the help. Rows of lists are selected with j and k.
//
// They can be switched off in the help, for this browser: single keys disturb speech input and are hit by accident
// (WCAG 2.1.4). A button always opens the help.
(() => {
    const STORAGE_KEY = "portalShortcuts";
    const CURRENT = "portal-current";
    let help = null;

    const areEnabled = () => localStorage.getItem(STORAGE_KEY) !== "off";
    const getList = () => document.querySelector("#result_list");
    const isVisible = (element) => element.checkVisibility?.() ?? element.getClientRects().length > 0;

    function isTyping(target) {
        return target.closest?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]");
    }

    // --- The list --------------------------------------------------------------------------------------------------

    const getRows = () => [...(getList()?.querySelectorAll("tbody tr") ?? [])].filter((row) => row.querySelector("a[href]"));
    const getCurrentRow = () => getList()?.querySelector(`tr.${CURRENT}`) ?? null;

    function selectRow(row) {
        getCurrentRow()?.classList.remove(CURRENT);
        row.classList.add(CURRENT);
        row.querySelector("th a[href], a[href]").focus();
        row.scrollIntoView({block: "nearest"});
    }

    function moveBy(step) {
        const all = getRows();
        if (!all.length) return;
        const at = all.indexOf(getCurrentRow());
        selectRow(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)]);
    }

    function toggle(row) {
        row?.querySelector(".action-select")?.click();
    }

    const LIST_KEYS = {
        j: {label: "Next row", run: () => moveBy(1)},
        k: {label: "Previous row", run: () => moveBy(-1)},
        o: {label: "Open the row", run: () => getCurrentRow()?.querySelector("th a[href], a[href]").click()},
        x: {label: "Tick the row, or take its tick away", run: () => toggle(getCurrentRow())},
    };

    // --- Shortcuts of the page -------------------------------------------------------------------------------------

    function listShortcuts() {
        const found = new Map();
        if (getList()) {
            for (const [key, {label, run}] of Object.entries(LIST_KEYS)) found.set(key, {label, run});
        }
        for (const element of document.querySelectorAll("[data-shortcut]")) {
            if (!isVisible(element) || element.disabled) continue;
            found.set(element.dataset.shortcut, {
                label: element.dataset.shortcutLabel ?? element.textContent.trim(),
                run: () => activate(element),
            });
        }
        if (document.querySelector("#searchbar")) found.set("/", {label: "Search this list", run: null});
        found.set("?", {label: "This help", run: showHelp});
        return found;
    }

    // A button for selected rows uses the current one if none is selected.
    function activate(element) {
        if (element.dataset.dialogRows !== undefined && !getList()?.querySelector(".action-select:checked")) {
            if (!getCurrentRow() && getRows().length === 1) selectRow(getRows()[0]);
            const row = getCurrentRow();
            toggle(row);
            // Without a decision, the row is deselected again.
            document.addEventListener("portal:dialog-closed", () => toggle(row), {once: true});
        }
        element.click();
    }

    // --- The help --------------------------------------------------------------------------------------------------

    function showHelp() {
        help?.remove();
        help = document.createElement("dialog");
        help.id = "portal-help";
        help.className = "portal-dialog-box";
        help.setAttribute("aria-labelledby", "portal-help-title");
        help.innerHTML = `
            <form method="dialog" class="portal-dialog">
                <header class="portal-dialog-header">
                    <h2 id="portal-help-title">Keyboard shortcuts</h2>
                    <button class="portal-icon-button" aria-label="Close"><span class="material-symbols-outlined" aria-hidden="true">close</span></button>
                </header>
                <div class="portal-dialog-body">
                    <dl class="portal-keys"></dl>
                    <label class="portal-switch"><input type="checkbox" id="portal-shortcuts-on"> Single-key shortcuts are on in this browser</label>
                    <p class="portal-muted">In a dialog, Escape leaves it and Ctrl or Cmd with Enter sends it. These two always work.</p>
                </div>
                <footer class="portal-dialog-footer"><button class="portal-button">Close</button></footer>
            </form>`;
        const keys = help.querySelector(".portal-keys");
        for (const [key, {label}] of listShortcuts()) {
            const term = document.createElement("dt");
            const sign = document.createElement("kbd");
            sign.textContent = key;
            term.append(sign);
            const meaning = document.createElement("dd");
            meaning.textContent = label;
            keys.append(term, meaning);
        }
        const box = help.querySelector("#portal-shortcuts-on");
        box.checked = areEnabled();
        box.addEventListener("change", () => localStorage.setItem(STORAGE_KEY, box.checked ? "on" : "off"));
        const opener = document.activeElement;
        help.addEventListener("close", () => {
            help.remove();
            help = null;
            if (opener?.isConnected) opener.focus();
        });
        document.body.append(help);
        help.showModal();
        box.focus();
    }

    function addHelpButton() {
        const place = document.querySelector("#header-inner > div");
        if (!place || document.querySelector("[data-shortcuts-help]")) return;
        const button = document.createElement("button");
        button.type = "button";
        button.className = "portal-icon-button portal-help-button";
        button.dataset.shortcutsHelp = "";
        button.setAttribute("aria-label", "Keyboard shortcuts");
        button.title = "Keyboard shortcuts";
        button.innerHTML = '<span class="material-symbols-outlined" aria-hidden="true">keyboard</span>';
        button.addEventListener("click", showHelp);
        place.append(button);
    }

    // --- Keys ------------------------------------------------------------------------------------------------------

    // In the capture phase, so that unfold's own single keys can be switched off too.
    addEventListener(
        "keydown",
        (event) => {
            if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || isTyping(event.target)) return;
            if (document.querySelector("dialog[open]")) return;
            if (event.key === " ") return;
            // A dialog is loading: the key was meant for it.
            if (document.documentElement.hasAttribute("data-portal-busy")) {
                event.preventDefault();
                event.stopImmediatePropagation();
                return;
            }
            if (!areEnabled()) {
                event.stopImmediatePropagation();
                return;
            }
            const found = listShortcuts().get(event.key);
            if (!found?.run) return;
            event.preventDefault();
            event.stopImmediatePropagation();
            // A key that is held down only moves through the rows.
            if (!event.repeat || "jk".includes(event.key)) found.run();
        },
        true
    );

    document.addEventListener("focusin", (event) => {
        const row = event.target.closest?.("#result_list tbody tr");
        if (!row || row.classList.contains(CURRENT) || !row.querySelector("a[href]")) return;
        getCurrentRow()?.classList.remove(CURRENT);
        row.classList.add(CURRENT);
    });
    // Links back to a list keep its tab, search and filters.
    function rememberList() {
        if (getList()) sessionStorage.setItem(`portalList:${location.pathname}`, location.search);
        for (const link of document.querySelectorAll("a[data-back-to-list]")) {
            const seen = sessionStorage.getItem(`portalList:${new URL(link.href).pathname}`);
            if (seen) link.search = seen;
        }
    }

    document.addEventListener("DOMContentLoaded", () => {
        addHelpButton();
        rememberList();
        for (const element of document.querySelectorAll("[data-shortcut]")) {
            element.setAttribute("aria-keyshortcuts", element.dataset.shortcut);
        }
    });
})();
