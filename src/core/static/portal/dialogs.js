"use strict";

// One native dialog for the whole page: it keeps the focus inside, Escape closes it, and the page behind it is inert.
(() => {
    const PATIENCE_MS = 30_000;
    let dialog = null;
    let opener = null;

    // The cookie's: whoever logs in in another tab has a new one, and those in the page are worth nothing then.
    const token = () =>
        document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ??
        document.querySelector("[name=csrfmiddlewaretoken]")?.value ??
        "";
    // While a dialog is on its way, whatever is typed is meant for it: shortcuts.js asks, too.
    const isBusy = () => document.documentElement.hasAttribute("data-portal-busy");
    const setBusy = (busy) => document.documentElement.toggleAttribute("data-portal-busy", busy);
    const isLogin = (url) => new URL(url, location.href).pathname.endsWith("/login/");

    function element() {
        if (dialog) return dialog;
        dialog = document.createElement("dialog");
        dialog.id = "portal-dialog";
        dialog.setAttribute("aria-labelledby", "portal-dialog-title");
        dialog.addEventListener("close", closed);
        // Not while its form is under way: nobody would see what came of it.
        dialog.addEventListener("cancel", (event) => {
            if (isUnderWay()) event.preventDefault();
        });
        dialog.addEventListener("click", (event) => {
            if (event.target.closest("[data-dialog-close]") && !isUnderWay()) dialog.close();
        });
        document.body.append(dialog);
        return dialog;
    }

    const isUnderWay = () => dialog?.querySelector("form.portal-dialog")?.dataset.sent === "sent";

    // What was taken for the time of the dialog is given back when it is left without a decision.
    function giveBack() {
        const form = dialog?.querySelector("form[data-leave]");
        if (!form || form.dataset.sent) return;
        const fields = new FormData(form);
        fields.set("csrfmiddlewaretoken", token());
        form.dataset.sent = "left";
        fetch(form.dataset.leave, {method: "POST", body: fields, keepalive: true});
    }

    function closed() {
        giveBack();
        // Some of it was done before the rest was left: the page behind does not know of that.
        const isStale = dialog.querySelector("form[data-stale]");
        dialog.replaceChildren();
        const target = opener;
        opener = null;
        if (isStale) return location.reload();
        document.dispatchEvent(new CustomEvent("portal:dialog-closed"));
        if (target?.isConnected) target.focus();
    }

    // The rows that are ticked, or the one that the button names.
    function chosen(button) {
        const fields = new FormData();
        fields.set("csrfmiddlewaretoken", token());
        for (const pair of new URLSearchParams(button.dataset.dialogValues ?? "")) fields.append(...pair);
        if (button.dataset.dialogRows !== undefined) {
            for (const row of document.querySelectorAll("#result_list .action-select:checked")) {
                fields.append("_selected_action", row.value);
                const more = row.closest("tr").querySelector("[data-row-values]")?.dataset.rowValues ?? "";
                for (const pair of new URLSearchParams(more)) fields.append(...pair);
            }
        }
        return fields;
    }

    async function open(button) {
        if (isBusy() || dialog?.open) return;
        opener = button;
        setBusy(true);
        let answer, html;
        try {
            answer = await fetch(button.dataset.dialog, {
                method: "POST",
                body: chosen(button),
                headers: {"HX-Request": "true", "HX-Current-URL": location.href},
                signal: AbortSignal.timeout(PATIENCE_MS),
            });
            html = await answer.text();
        } catch {
            return complain("The server does not answer. Try again in a moment.");
        } finally {
            setBusy(false);
        }
        if (answer.redirected && isLogin(answer.url)) {
            return location.assign(logIn(answer.url));
        }
        const url = answer.headers.get("HX-Redirect");
        if (url) return location.assign(url);
        if (answer.headers.get("HX-Refresh")) return location.reload();
        if (answer.redirected) return location.assign(answer.url);
        if (!answer.ok) return complain(refusal(answer.status));
        show(html);
    }

    // Back to this page afterwards: where the form was to go takes no link.
    function logIn(address) {
        const url = new URL(address, location.href);
        url.search = new URLSearchParams({next: location.pathname + location.search});
        return url.href;
    }

    const refusal = (status) =>
        status === 403
            ? "You may not do this, or this page is too old: load it anew."
            : status === 404
              ? "This is no longer there."
              : "The server did not take this. Nothing was lost: try again in a moment.";

    function complain(sentence) {
        const box = document.createElement("form");
        box.method = "dialog";
        box.className = "portal-dialog";
        box.innerHTML =
            '<header class="portal-dialog-header"><h2 id="portal-dialog-title" tabindex="-1">That did not work</h2></header>' +
            '<div class="portal-dialog-body"><p></p></div>' +
            '<footer class="portal-dialog-footer"><button class="portal-button" data-dialog-close>Close</button></footer>';
        box.querySelector("p").textContent = sentence;
        element().replaceChildren(box);
        if (!dialog.open) dialog.showModal();
    }

    function show(html) {
        element().innerHTML = html;
        if (!dialog.open) dialog.showModal();
        ready();
    }

    function ready() {
        htmx.process(dialog);
        // The title comes before all of them, and is for dialogs that ask nothing.
        const first = ["[autofocus]", "textarea, select", "h2"].map((each) => dialog.querySelector(each)).find(Boolean);
        // What comes first is read first, however long it is.
        first?.focus({preventScroll: true});
        dialog.scrollTop = 0;
        // What was written here is not left behind for something to look at.
        for (const link of dialog.querySelectorAll("a[href]")) {
            link.target = "_blank";
            link.rel = "noopener";
        }
    }

    document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-dialog]");
        if (!button || button.disabled) return;
        event.preventDefault();
        open(button);
    });

    const formOf = (event) => (event.target.matches?.("form.portal-dialog") ? event.target : null);

    function note(form, sentence) {
        delete form.dataset.sent;
        const place = form.querySelector("[role=alert]") ?? document.createElement("p");
        place.setAttribute("role", "alert");
        place.replaceChildren(sentence);
        form.querySelector(".portal-dialog-body").prepend(place);
        place.scrollIntoView({block: "nearest"});
        return place;
    }

    // It was done, and another page is on its way: htmx says nothing of success then.
    const isLeaving = (xhr) =>
        xhr.status >= 200 && xhr.status < 300 && ["HX-Redirect", "HX-Refresh"].some((name) => xhr.getResponseHeader(name));

    document.addEventListener("htmx:configRequest", (event) => {
        event.detail.parameters.csrfmiddlewaretoken = token();
        event.detail.timeout = PATIENCE_MS;
    });
    document.addEventListener("htmx:beforeRequest", (event) => {
        const form = formOf(event);
        if (!form) return;
        if (form.dataset.sent) event.preventDefault();
        else form.dataset.sent = "sent";
    });
    document.addEventListener("htmx:beforeSwap", (event) => {
        const address = event.detail.xhr.responseURL;
        if (!address || !isLogin(address)) return;
        event.detail.shouldSwap = false;
        const form = dialog?.querySelector("form.portal-dialog");
        if (!form) return;
        // What was written stays: the form can be sent once they are logged in again.
        const link = document.createElement("a");
        link.href = logIn(address);
        link.target = "_blank";
        link.className = "portal-link";
        link.textContent = "Log in in another tab";
        note(form, "You are not logged in any more. ").append(link, ", and then send this again.");
    });
    document.addEventListener("htmx:afterRequest", (event) => {
        const form = formOf(event);
        if (event.detail.successful || isLeaving(event.detail.xhr)) return;
        if (form) note(form, refusal(event.detail.xhr.status));
        else if (event.detail.target?.id === "portal-notice") {
            event.detail.target.textContent = "What will be read cannot be shown right now.";
        }
    });
    document.addEventListener("htmx:afterSwap", (event) => {
        if (event.detail.target !== dialog) return;
        if (!dialog.open) dialog.showModal();
        ready();
    });

    // A template takes the place of nothing, or of another template: what somebody wrote themselves is kept.
    document.addEventListener("change", (event) => {
        const choice = event.target.closest?.("select[data-reason-templates]");
        if (!choice) return;
        const reason = document.querySelector(choice.dataset.reasonTemplates);
        const written = reason.value.trim();
        const isTemplate = [...choice.options].some((option) => option.value.trim() === written);
        reason.value = isTemplate ? choice.value : [written, choice.value].filter(Boolean).join("\n\n");
        reason.dispatchEvent(new Event("input", {bubbles: true}));
    });

    // Ctrl or Cmd and Enter send the form from within its text.
    document.addEventListener("keydown", (event) => {
        const form = event.target.closest?.("form.portal-dialog");
        if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            form.requestSubmit(form.querySelector("[type=submit]"));
        }
    });

    addEventListener("pagehide", giveBack);
    // Back at a page that the browser has kept with its dialog: what that was about has been given back.
    addEventListener("pageshow", (event) => {
        if (event.persisted && dialog?.open) location.reload();
    });
})();
