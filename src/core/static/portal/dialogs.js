"use strict";

// One native dialog for the whole page: it keeps the focus inside, Escape closes it, and the page behind it is inert.
(() => {
    let dialog = null;
    let opener = null;

    const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

    function element() {
        if (dialog) return dialog;
        dialog = document.createElement("dialog");
        dialog.id = "portal-dialog";
        dialog.setAttribute("aria-labelledby", "portal-dialog-title");
        dialog.addEventListener("close", closed);
        dialog.addEventListener("click", (event) => {
            if (event.target.closest("[data-dialog-close]")) dialog.close();
        });
        document.body.append(dialog);
        return dialog;
    }

    // What was taken for the time of the dialog is given back when it is left without a decision.
    function giveBack() {
        const form = dialog?.querySelector("form[data-leave]");
        if (!form || form.dataset.sent) return;
        const fields = new FormData(form);
        fields.set("csrfmiddlewaretoken", token());
        form.dataset.sent = "left";
        fetch(form.dataset.leave, {method: "POST", body: fields, keepalive: true}).then(() =>
            document.dispatchEvent(new CustomEvent("portal:dialog-left"))
        );
    }

    function closed() {
        giveBack();
        // Some of it was done before the rest was left: the page behind does not know of that.
        const isStale = dialog.querySelector("form[data-stale]");
        dialog.replaceChildren();
        const target = opener;
        opener = null;
        if (isStale) return location.reload();
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
            }
        }
        return fields;
    }

    async function open(button) {
        opener = button;
        let answer;
        try {
            answer = await fetch(button.dataset.dialog, {
                method: "POST",
                body: chosen(button),
                headers: {"HX-Request": "true", "HX-Current-URL": location.href},
            });
        } catch {
            return complain("The server does not answer. Try again in a moment.");
        }
        const url = answer.headers.get("HX-Redirect");
        if (url) return location.assign(url);
        if (answer.headers.get("HX-Refresh")) return location.reload();
        if (answer.redirected) return location.assign(answer.url);
        if (!answer.ok) return complain(answer.status === 403 ? "You may not do this." : "This could not be opened.");
        show(await answer.text());
    }

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
        first?.focus();
    }

    document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-dialog]");
        if (!button || button.disabled) return;
        event.preventDefault();
        open(button);
    });

    document.addEventListener("htmx:beforeRequest", (event) => {
        const form = event.target.closest?.("form.portal-dialog");
        if (form && event.target === form) {
            if (form.dataset.sent) event.preventDefault();
            form.dataset.sent = "sent";
        }
    });
    document.addEventListener("htmx:afterRequest", (event) => {
        const form = event.target.closest?.("form.portal-dialog");
        if (form && event.target === form && !event.detail.successful) {
            delete form.dataset.sent;
            const note = form.querySelector("[role=alert]") ?? document.createElement("p");
            note.setAttribute("role", "alert");
            note.textContent = "The server did not take this. Nothing was lost: try again in a moment.";
            form.querySelector(".portal-dialog-body").prepend(note);
        }
    });
    document.addEventListener("htmx:afterSwap", (event) => {
        if (event.detail.target === dialog) ready();
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
})();
