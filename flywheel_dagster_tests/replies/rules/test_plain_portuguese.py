"""Plain Portuguese replies that anybody would expect to be read rightly."""

import pytest

from flywheel_dagster_tests.replies.rules.plain import label, languages, rows, share_right

_REPLIES = """
= positive high none
Tenho interesse! Podemos conversar na próxima semana?
Parece muito interessante, conte-me mais.
Me conta mais, por favor.
Gostaria de saber mais.
Sim, vamos marcar uma reunião.
Terça-feira às 15h está ótimo para mim.
Quinta às 10h funciona para você?
Pode me ligar amanhã de manhã.
Liga-me amanhã à tarde.
Quando podemos falar?
Estou disponível na segunda-feira.
Envie-me mais informações, por favor.
Me manda mais detalhes.
Pode enviar uma apresentação?
Gostaria de ver uma demonstração.
Integra com o Salesforce?
Onde ficam guardados os dados?
Quanto tempo demora a implementação?
Como funciona exatamente?
Qual é a diferença para os concorrentes?
Vocês têm clientes no setor da saúde?
É exatamente o que estamos procurando.
É mesmo isto que procuramos.
Temos interesse sim, quais são os próximos passos?
Vamos conversar na quarta?
Sem problema, falamos amanhã.
Fiquei interessada, como fazemos?
Combinado, sexta às 9h.
Quanto custa?
Qual o preço?
Qual é o valor da mensalidade?
Pode me passar os valores?
Gostaria de receber um orçamento.
O senhor pode me enviar uma proposta?
Adorei a ideia, vamos agendar uma chamada.
Tem período de teste gratuito?
Bora marcar um papo!
Boa tarde, chegou em boa hora. Teria um tempinho na quarta para nos explicar como funciona?
Isso seria útil para nós. O que está incluído no serviço?
E como é que se instala?
Sim, por favor, mande o link da reunião.
Olha, estamos mesmo atrás de algo assim. Vamos falar?
Têm algum caso de sucesso na área da hotelaria?
Queria experimentar antes de decidir. Há uma versão de teste?
Curti a ideia! Quando a gente conversa?
Quanto fica para uma equipe de dez pessoas?
Por mim tudo bem, segunda às nove.
Está em conformidade com o RGPD?
= positive - none
Estamos muito interessados na vossa solução.
Com certeza!
Parece ótimo.
Que boa ideia!
Do que se trata?
= positive high competitor
Já temos fornecedor, mas não estamos contentes. O que vocês oferecem?
= neutral low none
Obrigado.
Obrigada pela informação.
Recebido, obrigado.
Ok, anotado.
Está bem, obrigado.
Certo, agradeço o contato.
Tomei nota.
Visto, obrigado.
Muito obrigado por escrever.
Perfeito, recebido.
= neutral medium -
Mantenha-me informado, por favor.
Talvez, vou pensar no assunto.
Vou dar uma olhada e te aviso.
Ainda não sei.
Deixe-me pensar.
Por enquanto não precisamos, mas vou guardar o seu contato.
De momento não temos necessidade, mas fica para uma próxima oportunidade.
Vejo com calma e depois digo algo.
Pode ser, mas não prometo nada.
Me avisem se houver novidades.
Vou guardar a sua mensagem.
= neutral medium timing
Agora não é um bom momento, fale comigo em março.
Neste momento não é possível, talvez no próximo trimestre.
Por enquanto não, quem sabe no ano que vem.
Estamos muito ocupados, volte a contactar-nos em setembro.
Este ano não, talvez no próximo.
Me procure daqui a três meses.
Agora não consigo, podemos falar depois das férias?
De momento não temos tempo, contacte-nos em janeiro.
Estou sem tempo agora, me chama no mês que vem.
Neste momento não é prioridade, voltamos a falar no segundo semestre.
Estamos em plena mudança, é melhor falarmos em maio.
Antes da Páscoa não consigo ver nada.
Agora não, mas me procure em janeiro.
Este trimestre está cheio, escreva-nos no próximo.
Não é o momento, talvez no ano que vem.
Ando numa correria, deixamos para o mês que vem?
Por agora temos outras prioridades. Voltem a contactar-nos no outono.
= neutral medium authority
Preciso falar com o meu chefe primeiro.
Tenho de consultar a direção.
Quem decide é a diretoria.
Vou levar para o meu sócio e te respondo.
Não sou eu que decido, tenho que ver com a gerência.
Tem de ser aprovado pela gerência, vou apresentar e aviso.
Tenho de falar com a minha mulher, é ela que trata das contas.
Comento com o chefe e te falo.
= neutral - -
Fale com a Maria, ela é a responsável por isso.
O responsável é o João Silva.
Encaminhei o seu e-mail para o setor de compras.
Entre em contato com o departamento de marketing.
Vou passar sua mensagem para minha colega.
Por favor contacte o meu colega Pedro, ele trata deste assunto.
Para isso escreva para compras@example.com
Quem cuida disso é a minha colega Laura, passo o contato dela.
Reencaminhei a sua proposta para o departamento de informática.
= neutral none -
Você falou com a pessoa errada.
Não sou a pessoa certa.
Não sou eu que trato desse assunto.
O Carlos já não trabalha aqui.
A Ana saiu da empresa.
Acho que este e-mail não era para mim.
Não trabalho nessa área, acho que houve engano.
Este não é o contato certo.
O senhor Ramos não faz mais parte da empresa.
= neutral none none
Estou fora do escritório até 15 de agosto.
Estou de férias até segunda-feira. Em caso de urgência, contacte a minha colega.
Esta é uma resposta automática.
Obrigado pela sua mensagem. Encontro-me ausente e responderei assim que regressar.
Recebemos a sua solicitação e responderemos o mais breve possível.
Estou de licença-maternidade.
Obrigado pelo seu e-mail. Estarei ausente até 7 de janeiro, sem acesso ao e-mail.
O nosso escritório estará fechado de 24 de dezembro a 1 de janeiro.
= negative none not_interested
Não tenho interesse.
Não temos interesse, obrigado.
Obrigado, mas não tenho interesse.
Sem interesse.
Não estou interessado.
Não estamos interessados, obrigada.
Não nos interessa.
Não me interessa.
Não, obrigado.
Não obrigada
Não.
Agradeço muito a proposta, mas não é para nós.
Muito obrigado pelo contato, mas vamos declinar.
Parece interessante, mas não é o que procuramos.
Não se encaixa no nosso perfil.
Infelizmente não vamos avançar. Boa sorte!
Decidimos não seguir em frente.
Agradeço, mas dispenso.
Prefiro não.
Não faz sentido para nós.
Infelizmente não temos interesse no momento, sucesso para vocês.
Não queremos, obrigado.
Agradeço a mensagem, mas não nos interessa de todo.
Muito gentil, mas não temos mesmo interesse.
A proposta é boa, mas decidimos não avançar.
Não, obrigado, não me interessa o que vendem.
Produto interessante, mas não é para uma empresa como a nossa.
A gente não quer, valeu.
Não acho que seja para nós. Abraço.
Fica para a próxima encarnação.
Na verdade não estamos interessados neste tipo de serviço.
= negative none no_need
Não precisamos.
Não precisamos disso, obrigado.
Não temos necessidade.
Fazemos tudo internamente.
Temos uma equipe própria para isso.
Somos uma empresa muito pequena para isso.
Não há necessidade.
Já temos isso resolvido.
Nós mesmos fazemos isso.
Não preciso desse serviço.
Isso nós resolvemos em casa.
Não usamos nada disso no nosso negócio.
Não vemos utilidade para o nosso caso.
= negative none competitor
Já trabalhamos com outro fornecedor.
Já temos fornecedor.
Já usamos o HubSpot e estamos satisfeitos.
Estamos satisfeitos com o nosso fornecedor atual.
Temos contrato com outra empresa.
Optamos por um concorrente.
Acabamos de assinar com outra empresa.
Obrigado, mas estamos com a Totvs e não pensamos em mudar.
Uma agência já trata disso.
= negative none price
É muito caro.
É caro demais para nós.
Não temos orçamento.
Não temos verba para isso.
Está fora do nosso orçamento.
O preço é muito alto.
Não temos dinheiro para isso.
Não podemos pagar isso.
Com esses preços não dá.
Foge do nosso orçamento, então vamos deixar.
Não tem grana para isso.
= negative none -
Pare de me escrever.
Parem de me mandar e-mails.
Não me escreva mais.
Não me contacte mais.
Não entre mais em contato.
Quero cancelar a inscrição.
Descadastrar
Me descadastre, por favor.
Me remova da lista.
Remova-me da vossa lista.
Retire meu e-mail da sua lista.
Apague os meus dados.
Me tira dessa lista
Exclua meus dados da sua base.
Não quero mais receber e-mails.
Não desejo receber mais mensagens vossas.
Cancelar subscrição
Por favor, não enviem mais e-mails.
Nos termos da LGPD, solicito a exclusão dos meus dados.
Onde conseguiram o meu e-mail?
Isso é spam. Vou denunciar.
Que chatos, já disse que não.
É a terceira vez que me escrevem.
Ótimo, mais um e-mail automático. Era só o que faltava.
Que original, nem sabe o meu nome.
Não me faça perder tempo.
Vou acionar meu advogado se continuarem.
Me deixem em paz.
Chega de e-mails!
Tirem-me da vossa lista de uma vez.
Apaguem o meu e-mail da base de dados.
Não quero mais saber de vocês.
Retiro o meu consentimento para receber comunicações.
Estão me fazendo perder tempo.
Quantas vezes tenho que dizer que não?
Mais uma mensagem copiada e colada, que alegria.
Não mandem mais publicidade para este endereço.
Nunca me inscrevi nisso. Quem deu o meu e-mail?
Para o nosso tamanho não compensa.
"""
_ROWS = rows(_REPLIES)


@pytest.mark.parametrize(("text", "expected"), _ROWS, ids=[text for text, _ in _ROWS])
def test_a_plain_reply_has_its_label(text, expected):
    assert label(text) == expected["sentiment_label"]


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
def test_interest_and_objection_are_right_nineteen_times_in_twenty(field):
    share, wrong = share_right(_ROWS, field)
    assert share >= 0.95, wrong


def test_the_language_is_known():
    assert languages(_ROWS).count("pt") >= 0.95 * len(_ROWS)
