"""Little words and letters that speak for a language. Data only: the commonest function words,
which hardly any text of three sentences is without."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "en": """
        the and of to is in that it for you was with on are this have be at not what can how my
        i we your from do an or will there which would please does me if a""",
    "de": """
        der die das und ist nicht ich ein eine zu den mit von auf für es im sie auch wie dem was
        des wir sich an kann haben oder aber mein bitte wird sind einen wo zum zur""",
    "fr": """
        le la les et est de des un une en que qui dans pour pas je vous il sur avec au ce plus
        par nous du sont mais ou mon cette être avez quel comment elle ne""",
    "es": """
        el la los las y es de del un una en que por para con no se su lo como más al yo mi está
        qué pero son este hay muy cuál puede cómo me""",
    "it": """
        il lo la gli le e è di del della un una in che per con non si sono come più al anche mi
        ma questo nel quale dei ho può dove""",
    "pt": """
        o os as e é de do da dos das um uma em que por para com não se como mais ao eu meu está
        mas são este você no na qual pode muito ou""",
    "nl": """
        de het een en is van in dat niet ik te op voor met zijn die er aan je wat hoe ook maar
        om mijn we kan als naar deze bij wordt heeft""",
    "sv": """
        och det att i en är som på för med inte jag den av till har ett om vi du kan vad hur min
        var men så från eller ska när""",
    "da": """
        og det at i en er som på for med ikke jeg den af til har et om vi du kan hvad hvordan
        min var men så fra eller skal når de være""",
    "no": """
        og det at i en er som på for med ikke jeg den av til har et om vi du kan hva hvordan min
        var men så fra eller skal når de være etter""",
    "fi": """
        ja on ei se että oli en ovat mutta kun niin hän minä tämä mitä joka kuin sinä voi olla
        myös kanssa missä miten tai jos ole mikä minun""",
    "pl": """
        i w nie na się to jest z do że co jak ale o po czy dla od tak są za tym przez był mi mam
        jej ten które gdzie może proszę""",
    "cs": """
        a v je na se to že s z do co jak ale o po pro od tak jsou za by který jsem není mi kde
        může při také prosím ve si""",
    "ro": """
        și în de la cu nu pe este un o să ce care din că mai pentru sunt a fi dar am cum au unde
        acest ale prin sau mă""",
    "hu": """
        a az és nem hogy is egy ez van de meg csak mint már ha én mi kell vagy volt azt még
        nagyon hol lehet minden ki el""",
    "tr": """
        ve bir bu için ne de da mi çok ile olarak daha var ben o gibi ama kadar değil nasıl her
        en olan nerede mı sonra lütfen""",
    "id": """
        dan yang di ini itu dengan untuk tidak dari dalam akan pada saya ke adalah bisa ada apa
        atau juga karena sudah bagaimana kami anda oleh""",
    "vi": """
        và là của có không được một cho trong với này các người tôi những đã để khi bạn ở đó như
        từ thì về rất bao""",
    "ru": """
        и в не на что я с он как это по но из у за от так же для вы мы то все бы где можно мне
        или к есть при какой""",
    "uk": """
        і в не на що я з він як це по але із у за від так же для ви ми то все де можна мені або
        та є при який до щоб""",
    "bg": """
        и в не на че аз с той как това по но от за се да са ще към или при който има ли може
        къде моля ми сме още""",
    "sr": """
        и у не на да је се са за од као то али по из су што или бити који има где може ми сам
        како""",
}

SIGNS: dict[str, str] = {
    "de": "ßäöü",
    "fr": "çèêàùûœ",
    "es": "ñ¿¡",
    "pt": "ãõ",
    "sv": "åäö",
    "da": "æøå",
    "no": "æøå",
    "pl": "łąęśźżń",
    "cs": "řěůšžč",
    "ro": "șțăşţ",
    "hu": "őű",
    "tr": "ğış",
    "vi": "ơưạảấầẩậắằặẹẻếềểệịọỏốồổộớờợụủứừựỳỹđ",
    "fi": "äö",
    "ru": "ыэё",
    "uk": "іїєґ",
    "bg": "ъ",
    "sr": "ђјљњћџ",
}
"""Letters that speak for a language among those that share its script."""
