"""Sentences of our own in the languages that are told apart: kitchen and office, none longer than a
line. None of them was looked at when the words of `stockpot.rails.language_words` were chosen."""

SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "Could you tell me whether the soup contains any nuts or milk?",
        "The delivery arrived late and half of the boxes were open.",
        "Write a short summary of this report for our customers.",
    ),
    "de": (
        "Können Sie mir sagen, ob die Suppe Nüsse oder Milch enthält?",
        "Die Lieferung kam zu spät und die Hälfte der Kisten war offen.",
        "Schreibe bitte eine kurze Zusammenfassung dieses Berichts.",
    ),
    "fr": (
        "Pouvez-vous me dire si la soupe contient des noix ou du lait ?",
        "La livraison est arrivée en retard et la moitié des caisses étaient ouvertes.",
        "Rédige un court résumé de ce rapport pour nos clients.",
    ),
    "es": (
        "¿Puede decirme si la sopa contiene nueces o leche?",
        "La entrega llegó tarde y la mitad de las cajas estaban abiertas.",
        "Escribe un breve resumen de este informe para nuestros clientes.",
    ),
    "it": (
        "Può dirmi se la zuppa contiene noci o latte?",
        "La consegna è arrivata in ritardo e metà delle casse era aperta.",
        "Scrivi un breve riassunto di questo rapporto per i nostri clienti.",
    ),
    "pt": (
        "Pode dizer-me se a sopa contém nozes ou leite?",
        "A entrega chegou atrasada e metade das caixas estava aberta.",
        "Escreva um breve resumo deste relatório para os nossos clientes.",
    ),
    "nl": (
        "Kunt u mij vertellen of er noten of melk in de soep zitten?",
        "De levering kwam te laat en de helft van de dozen was open.",
        "Schrijf een korte samenvatting van dit verslag voor onze klanten.",
    ),
    "sv": (
        "Kan du säga mig om soppan innehåller nötter eller mjölk?",
        "Leveransen kom för sent och hälften av lådorna var öppna.",
        "Skriv en kort sammanfattning av den här rapporten för våra kunder.",
    ),
    "da": (
        "Kan du fortælle mig, om suppen indeholder nødder eller mælk?",
        "Leveringen kom for sent, og halvdelen af kasserne var åbne.",
        "Skriv et kort resumé af denne rapport til vores kunder.",
    ),
    "no": (
        "Kan du fortelle meg om suppen inneholder nøtter eller melk?",
        "Leveringen kom for sent, og halvparten av kassene var åpne.",
        "Skriv et kort sammendrag av denne rapporten til kundene våre.",
    ),
    "fi": (
        "Voitko kertoa, onko keitossa pähkinöitä tai maitoa?",
        "Toimitus tuli myöhässä ja puolet laatikoista oli auki.",
        "Kirjoita lyhyt yhteenveto tästä raportista asiakkaillemme.",
    ),
    "pl": (
        "Czy może mi pan powiedzieć, czy w zupie są orzechy lub mleko?",
        "Dostawa przyszła za późno i połowa skrzynek była otwarta.",
        "Napisz krótkie podsumowanie tego raportu dla naszych klientów.",
    ),
    "cs": (
        "Můžete mi říct, jestli jsou v polévce ořechy nebo mléko?",
        "Dodávka přišla pozdě a polovina beden byla otevřená.",
        "Napiš krátké shrnutí této zprávy pro naše zákazníky.",
    ),
    "ro": (
        "Îmi puteți spune dacă supa conține nuci sau lapte?",
        "Livrarea a ajuns târziu și jumătate din cutii erau deschise.",
        "Scrie un scurt rezumat al acestui raport pentru clienții noștri.",
    ),
    "hu": (
        "Meg tudná mondani, hogy van-e a levesben dió vagy tej?",
        "A szállítmány későn érkezett, és a dobozok fele nyitva volt.",
        "Írj egy rövid összefoglalót erről a jelentésről az ügyfeleinknek.",
    ),
    "tr": (
        "Çorbada fındık veya süt olup olmadığını söyler misiniz?",
        "Teslimat geç geldi ve kutuların yarısı açıktı.",
        "Müşterilerimiz için bu raporun kısa bir özetini yaz.",
    ),
    "id": (
        "Bisakah Anda memberi tahu saya apakah sup ini mengandung kacang atau susu?",
        "Kiriman itu datang terlambat dan setengah dari kotaknya terbuka.",
        "Tulis ringkasan singkat dari laporan ini untuk pelanggan kami.",
    ),
    "vi": (
        "Bạn có thể cho tôi biết món súp này có hạt hoặc sữa không?",
        "Hàng giao đến muộn và một nửa số thùng đã bị mở.",
        "Hãy viết một bản tóm tắt ngắn của báo cáo này cho khách hàng.",
    ),
    "ru": (
        "Скажите, пожалуйста, есть ли в супе орехи или молоко?",
        "Доставка опоздала, и половина ящиков была открыта.",
        "Напиши краткое изложение этого отчёта для наших клиентов.",
    ),
    "uk": (
        "Скажіть, будь ласка, чи є в супі горіхи або молоко?",
        "Доставка запізнилася, і половина ящиків була відкрита.",
        "Напиши короткий виклад цього звіту для наших клієнтів.",
    ),
    "bg": (
        "Можете ли да ми кажете дали в супата има ядки или мляко?",
        "Доставката закъсня и половината кашони бяха отворени.",
        "Напиши кратко резюме на този доклад за нашите клиенти.",
    ),
    "sr": (
        "Можете ли ми рећи да ли супа садржи орахе или млеко?",
        "Испорука је стигла касно и половина кутија је била отворена.",
        "Напиши кратак преглед овог извештаја за наше купце.",
    ),
    "el": ("Μπορείτε να μου πείτε αν η σούπα περιέχει ξηρούς καρπούς;",),
    "he": ("האם תוכל לומר לי אם המרק מכיל אגוזים או חלב?",),
    "ar": ("هل يمكنك أن تخبرني إن كان الحساء يحتوي على مكسرات أو حليب؟",),
    "fa": ("می‌توانید به من بگویید آیا سوپ آجیل یا شیر دارد؟",),
    "hi": ("क्या आप मुझे बता सकते हैं कि सूप में मेवे या दूध है?",),
    "th": ("คุณช่วยบอกได้ไหมว่าซุปนี้มีถั่วหรือนมหรือไม่",),
    "ko": ("수프에 견과류나 우유가 들어 있는지 알려 주시겠어요?",),
    "ja": ("スープにナッツや牛乳が入っているか教えてください。",),
    "zh": ("请问这道汤里有坚果或牛奶吗？",),
}
