"use strict";

// One native dialog for the whole page (see core/portal/dialogs.py).
(() => {
    const TIMEOUT_MS = 30_000;
    let dialog = null;
    let opener = null;

    // From the cookie: after a login in another tab, the tokens in this page are invalid.
    const getCsrfToken = () =>
        document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ??
        document.querySelector("[name=csrfmiddlewaretoken]")?.value ??
        "";
    // While a dialog is loading, single keys are ignored (shortcuts.js).
    const isBusy = () => document.documentElement.hasAttribute("data-portal-busy");
    const setBusy = (busy) => document.documentElement.toggleAttribute("data-portal-busy", busy);
    const isLogin = (url) => new URL(url, location.href).pathname.endsWith("/login/");

    function getDialog() {
        if (dialog) return dialog;
        dialog = document.createElement("dialog");
        dialog.id = "portal-dialog";
        dialog.setAttribute("aria-labelledby", "portal-dialog-title");
        dialog.addEventListener("close", onClose);
        // Not while its form is being sent, whose result would not be seen.
        dialog.addEventListener("cancel", (event) => {
            if (isSending()) event.preventDefault();
        });
        dialog.addEventListener("click", (event) => {
            if (event.target.closest("[data-dialog-close]") && !isSending()) dialog.close();
        });
        document.body.append(dialog);
        return dialog;
    }

    const isSending = () => dialog?.querySelector("form.portal-dialog")?.dataset.sent === "sent";

    // Releases the leases when the dialog is left without a decision.
    function releaseLeases() {
        const form = dialog?.querySelector("form[data-leave]");
        if (!form || form.dataset.sent) return;
        const fields = new FormData(form);
        fields.set("csrfmiddlewaretoken", getCsrfToken());
        form.dataset.sent = "left";
        fetch(form.dataset.leave, {method: "POST", body: fields, keepalive: true});
    }

    function onClose() {
        releaseLeases();
        // Some sessions were decided on before: the page behind is outdated.
        const isStale = dialog.querySelector("form[data-stale]");
        dialog.replaceChildren();
        const focusTarget = opener;
        opener = null;
        if (isStale) return location.reload();
        document.dispatchEvent(new CustomEvent("portal:dialog-closed"));
        if (focusTarget?.isConnected) focusTarget.focus();
    }

    // The values of the button, and the selected rows if it asks for them.
    function collectFields(button) {
        const fields = new FormData();
        fields.set("csrfmiddlewaretoken", getCsrfToken());
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
                body: collectFields(button),
                headers: {"HX-Request": "true", "HX-Current-URL": location.href},
                signal: AbortSignal.timeout(TIMEOUT_MS),
            });
            html = await answer.text();
        } catch {
            return showError("The server does not answer. Try again in a moment.");
        } finally {
            setBusy(false);
        }
        if (answer.redirected && isLogin(answer.url)) {
            return location.assign(buildLoginUrl(answer.url));
        }
        const url = answer.headers.get("HX-Redirect");
        if (url) return location.assign(url);
        if (answer.headers.get("HX-Refresh")) return location.reload();
        if (answer.redirected) return location.assign(answer.url);
        if (!answer.ok) return showError(describeStatus(answer.status));
        show(html);
    }

    // The login leads back to this page, since the URL of the form takes no GET.
    function buildLoginUrl(address) {
        const url = new URL(address, location.href);
        url.search = new URLSearchParams({next: location.pathname + location.search});
        return url.href;
    }

    const describeStatus = (status) =>
        status === 403
            ? "You may not do this, or this page is too old: load it anew."
            : status === 404
              ? "This is no longer there."
              : "The server did not take this. Nothing was lost: try again in a moment.";

    function showError(sentence) {
        const box = document.createElement("form");
        box.method = "dialog";
        box.className = "portal-dialog";
        box.innerHTML =
            '<header class="portal-dialog-header"><h2 id="portal-dialog-title" tabindex="-1">That did not work</h2></header>' +
            '<div class="portal-dialog-body"><p></p></div>' +
            '<footer class="portal-dialog-footer"><button class="portal-button" data-dialog-close>Close</button></footer>';
        box.querySelector("p").textContent = sentence;
        getDialog().replaceChildren(box);
        if (!dialog.open) dialog.showModal();
    }

    function show(html) {
        getDialog().innerHTML = html;
        if (!dialog.open) dialog.showModal();
        prepare();
    }

    function prepare() {
        htmx.process(dialog);
        // The title gets the focus in dialogs without fields.
        const first = ["[autofocus]", "textarea, select", "h2"].map((each) => dialog.querySelector(each)).find(Boolean);
        // Show the beginning, however long the dialog is.
        first?.focus({preventScroll: true});
        dialog.scrollTop = 0;
        // Links open another tab, so that the text that was written stays.
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

    const getForm = (event) => (event.target.matches?.("form.portal-dialog") ? event.target : null);

    function showAlert(form, sentence) {
        delete form.dataset.sent;
        const place = form.querySelector("[role=alert]") ?? document.createElement("p");
        place.setAttribute("role", "alert");
        place.replaceChildren(sentence);
        form.querySelector(".portal-dialog-body").prepend(place);
        place.scrollIntoView({block: "nearest"});
        return place;
    }

    // It succeeded and leads to another page, which htmx does not report as success.
    const isLeaving = (xhr) =>
        xhr.status >= 200 && xhr.status < 300 && ["HX-Redirect", "HX-Refresh"].some((name) => xhr.getResponseHeader(name));

    document.addEventListener("htmx:configRequest", (event) => {
        event.detail.parameters.csrfmiddlewaretoken = getCsrfToken();
        event.detail.timeout = TIMEOUT_MS;
    });
    document.addEventListener("htmx:beforeRequest", (event) => {
        const form = getForm(event);
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
        // The form stays, and can be sent after the login.
        const link = document.createElement("a");
        link.href = buildLoginUrl(address);
        link.target = "_blank";
        link.className = "portal-link";
        link.textContent = "Log in in another tab";
        showAlert(form, "You are not logged in any more. ").append(link, ", and then send this again.");
    });
    document.addEventListener("htmx:afterRequest", (event) => {
        const form = getForm(event);
        if (event.detail.successful || isLeaving(event.detail.xhr)) return;
        if (form) showAlert(form, describeStatus(event.detail.xhr.status));
        else if (event.detail.target?.id === "portal-notice") {
            event.detail.target.textContent = "What will be read cannot be shown right now.";
        }
    });
    document.addEventListener("htmx:afterSwap", (event) => {
        if (event.detail.target !== dialog) return;
        if (!dialog.open) dialog.showModal();
        prepare();
    });

    // A template replaces an empty text or another template; a text of one's own is kept.
    document.addEventListener("change", (event) => {
        const choice = event.target.closest?.("select[data-reason-templates]");
        if (!choice) return;
        const reason = document.querySelector(choice.dataset.reasonTemplates);
        const written = reason.value.trim();
        const isTemplate = [...choice.options].some((option) => option.value.trim() === written);
        reason.value = isTemplate ? choice.value : [written, choice.value].filter(Boolean).join("\n\n");
        reason.dispatchEvent(new Event("input", {bubbles: true}));
    });

    // Ctrl or Cmd with Enter sends the form.
    document.addEventListener("keydown", (event) => {
        const form = event.target.closest?.("form.portal-dialog");
        if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            form.requestSubmit(form.querySelector("[type=submit]"));
        }
    });

    addEventListener("pagehide", releaseLeases);
    // A page restored from the back/forward cache with an open dialog, whose leases were released.
    addEventListener("pageshow", (event) => {
        if (event.persisted && dialog?.open) location.reload();
    });
})();
