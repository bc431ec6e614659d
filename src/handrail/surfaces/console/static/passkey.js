// Asks a passkey and puts its answer into the form that wanted it; the form is then sent as any other.

const says = (form, text) => {
  form.querySelector("[data-said]").textContent = text;
};

async function ask(form) {
  const desk = document.querySelector("#desk")?.value;
  const address = form.dataset.challenge + (desk ? `?desk=${encodeURIComponent(desk)}` : "");
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error("the server did not ask for a passkey");
  const { nonce, options } = await answer.json();
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    })
    : await navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    });
  form.elements.nonce.value = nonce;
  form.elements.response.value = JSON.stringify(credential.toJSON());
  if (desk && form.elements.desk) form.elements.desk.value = desk;
}

// What is said to whoever has no script.
for (const one of document.querySelectorAll("[data-without]")) one.hidden = true;

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    // Whoever came to log in has another form; whoever came to add or use one is told.
    form.hidden = form.dataset.passkey === "get";
    says(form, "This browser cannot use passkeys here: it is too old, or the address is not https.");
    continue;
  }
  form.hidden = false;
  let asked = false;
  form.addEventListener("submit", async (event) => {
    const sender = event.submitter;
    if (asked || (form.dataset.passkey === "sign" && sender?.value !== "approve")) return;
    event.preventDefault();
    says(form, "Waiting for your passkey.");
    try {
      await ask(form);
    } catch (error) {
      says(form, `The passkey did not answer (${error.name}). Nothing was sent; you can try again.`);
      return;
    }
    asked = true;
    form.requestSubmit(sender);
  });
}
